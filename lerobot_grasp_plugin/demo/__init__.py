"""Two small recordings to try the tools on, and what must come out of them."""

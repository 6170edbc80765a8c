"""Two small recordings to try the tools on, and the expected results."""

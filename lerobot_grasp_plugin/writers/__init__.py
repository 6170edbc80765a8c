"""Writing format v3.0, and the folders an output is built in."""

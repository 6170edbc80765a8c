"""The checks of verify, one file per family; each takes a dataset and yields findings."""

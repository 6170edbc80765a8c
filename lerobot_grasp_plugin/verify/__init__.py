"""What verify checks, one file per family; each check takes a dataset and gives what it found."""

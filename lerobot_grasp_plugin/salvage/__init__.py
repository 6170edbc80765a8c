"""What is whole of a damaged dataset, as a dataset that can be read."""

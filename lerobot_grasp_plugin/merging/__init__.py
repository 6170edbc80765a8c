"""Chosen episodes of datasets as a new one, with labels: typed arguments in, typed reports out."""

"""Builds a new, labelled dataset from chosen episodes: typed arguments in, typed reports out."""

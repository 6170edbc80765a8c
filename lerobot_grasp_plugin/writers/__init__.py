"""Writes format v3.0, and manages the folders in which outputs are built."""

"""Compares two datasets episode by episode, by content."""

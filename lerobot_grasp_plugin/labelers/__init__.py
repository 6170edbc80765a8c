"""Labelers: propose success frames for a person to review."""

"""Labelers: what proposes success frames for a person to look through."""

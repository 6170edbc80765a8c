"""Reads the intact part of a damaged dataset."""

"""Computes actions and states from the joints of a recording."""

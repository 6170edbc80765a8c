"""The tests: a folder for each room of the package, and their helpers in ``tests.support``."""

"""What can be found wrong, how it is said, and the exceptions that carry it."""

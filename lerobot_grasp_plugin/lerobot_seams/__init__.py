"""Every place where this package replaces or reaches into LeRobot, and what depends on LeRobot's version."""

"""Trains, evaluates and runs LeRobot's reward classifier."""

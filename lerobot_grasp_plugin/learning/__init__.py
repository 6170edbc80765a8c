"""Datasets as LeRobot's learners read them: imports torch and lerobot, the rest of the package does not."""

"""Teleoperators for LeRobot's HIL-SERL."""

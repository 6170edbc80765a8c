"""Robots for LeRobot's HIL-SERL, and the reset of the gripper before an episode."""

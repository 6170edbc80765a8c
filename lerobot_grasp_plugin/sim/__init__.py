"""A simulated SO101: a LeRobot robot, a teleoperator that grasps by script, and what really happened."""

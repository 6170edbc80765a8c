"""A simulated SO101: a LeRobot robot, a scripted teleoperator, and the true state of each frame."""

"""LeRobot's reward classifier: training it, judging it, asking it."""

"""Records with labels: LeRobot's loop, marks by key, hooks, and recovery after a crash."""

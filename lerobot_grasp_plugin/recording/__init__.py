"""Recording with labels: LeRobot's loop, marks by key, hooks, and nothing lost in a crash."""

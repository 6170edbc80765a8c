"""LeRobot's datasets with this package's labels, image preprocessing and splits."""

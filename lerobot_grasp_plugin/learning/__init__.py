"""Datasets and training with LeRobot; only this part of the package imports torch and lerobot."""

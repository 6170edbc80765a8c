"""Datasets as LeRobot reads them, with this package's labels, images prepared, and splits."""

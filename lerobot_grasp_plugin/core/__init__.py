"""What is pure: stdlib and numpy, no files, no lerobot."""

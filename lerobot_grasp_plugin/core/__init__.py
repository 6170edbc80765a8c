"""Pure code: stdlib and numpy, no files, no lerobot."""

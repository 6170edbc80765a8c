"""A camera that sees a moving square, registered as another package would."""

"""Images of a dataset as files: chosen frames, contact sheets, and an index of them."""

"""Reading datasets of every version."""

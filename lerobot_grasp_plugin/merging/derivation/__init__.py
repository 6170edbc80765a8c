"""Actions and states that are computed from the joints of a recording."""

"""HIL-SERL on this package's datasets: actor, warm start, evaluation, and what an episode came to."""

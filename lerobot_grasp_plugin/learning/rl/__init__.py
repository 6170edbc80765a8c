"""HIL-SERL on this package's datasets: actor, behaviour cloning, evaluation, and what an episode came to."""

"""HIL-SERL on this package's datasets: learner, actor, behaviour cloning, and logs of episodes."""

import pytest


@pytest.fixture
def make_world(simulator):
    """Worlds that are closed at the end of the test."""
    from lerobot_grasp_plugin.sim.world import World

    worlds = []

    def made(seed=0):
        worlds.append(World(fps=30, seed=seed))
        return worlds[-1]

    yield made
    for world in worlds:
        world.close()

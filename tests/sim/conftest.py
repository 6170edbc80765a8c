from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def simulator():
    """Skips where the simulator is not installed, or nothing can be rendered."""
    if find_spec("mujoco") is None or find_spec("so101_nexus") is None:
        pytest.skip("the extra sim is not installed")
    from lerobot_grasp_plugin.sim.world import World

    try:
        world = World(fps=30, seed=0)
        world.picture("wrist", 32, 32)
    except Exception as error:  # whatever a GL library says
        pytest.skip(f"no picture can be rendered here: {error}")
    world.close()


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

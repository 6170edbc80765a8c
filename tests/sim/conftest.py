import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin.dataset.installed_files import installed_file
from lerobot_grasp_plugin.lerobot_seams import environment

_SHAPES = re.compile(r"<(visual|collision)\b.*?</\1>", re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def arm_without_shapes(once: Callable[..., Path]):
    """LeRobot's kinematics of the arm need its joints only; it loads the shapes, for a second each time."""

    def path_of(name: str, where: str) -> str:
        full = Path(installed_file(name, where)).read_text()
        return str(once("arm.urdf", lambda path: path.write_text(_SHAPES.sub("", full))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "installed_file", path_of)
        yield


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

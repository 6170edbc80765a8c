"""What the tests of the simulation share."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from lerobot_grasp_plugin.dataset.installed_files import installed_file
from lerobot_grasp_plugin.lerobot_seams import environment as seam
from tests.support.simulated_environment import config_of

_SHAPES = re.compile(r"<(visual|collision)\b.*?</\1>", re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def arm_without_shapes(once: Callable[..., Path]):
    """LeRobot's kinematics of the arm need its joints only; it loads the shapes, for a second each time."""

    def path_of(name: str, where: str) -> str:
        full = Path(installed_file(name, where)).read_text()
        return str(once("arm.urdf", lambda path: path.write_text(_SHAPES.sub("", full))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seam, "installed_file", path_of)
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


@pytest.fixture
def environment(simulator):
    """LeRobot's functions on an environment of the simulated arm; closed at the end of the test."""
    gm = pytest.importorskip("lerobot.rl.gym_manipulator")
    pytest.importorskip("placo")
    import torch

    opened = []

    def build(**options):
        config = config_of(**options)
        env, teleop = gm.make_robot_env(config)
        opened.append((env, teleop))
        env_processor, action_processor = gm.make_processors(env, teleop, config, "cpu")
        neutral = torch.tensor([0.0, 0.0, 0.0, 1.0])

        def reset():
            return gm.reset_and_build_transition(env, env_processor, action_processor)

        def step(transition):
            return gm.step_env_and_process_transition(
                env, transition, neutral, env_processor, action_processor
            )

        return SimpleNamespace(
            env=env,
            teleop=teleop,
            reset=reset,
            step=step,
            env_processor=env_processor,
            action_processor=action_processor,
            config=config,
        )

    yield build
    for env, teleop in opened:
        env.close()
        teleop.disconnect()

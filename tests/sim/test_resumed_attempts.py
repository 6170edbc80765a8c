"""A resumed recording goes on with the cube's places and the outcomes."""

from __future__ import annotations

from unittest.mock import Mock

from lerobot_grasp_plugin.sim.truth import EpisodeTruth, next_attempt, truth_folder
from lerobot_grasp_plugin.sim.world import World


def test_the_next_attempt_is_one_that_no_episode_has(tmp_path):
    folder = truth_folder(None, tmp_path / "picks")
    assert next_attempt(folder, 3) == 3  # nothing is known of them
    for episode, attempt in ((0, 0), (1, 4), (2, 5), (3, 9)):
        EpisodeTruth(episode, attempt).write(folder)
    assert next_attempt(folder, 3) == 6  # episode 3 was never whole
    world = Mock(saved=0, attempt=0)
    World.resume(world, 3, 6)
    assert (world.saved, world.attempt) == (3, 5)
    world.lay_out.assert_called_once_with()  # which counts on to 6

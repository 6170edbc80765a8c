"""Frames that a recorder holds or leaves out: the cube stays, and the truth follows."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from lerobot_grasp_plugin.sim.episode_log import EpisodeLog
from lerobot_grasp_plugin.sim.joints import JOINTS
from lerobot_grasp_plugin.sim.truth import Truth, read_truth, truth_folder


@pytest.mark.parametrize("held", [True, False])
def test_the_cube_stays_where_it_is_in_a_pause(held):
    world = Mock(recording=None, episodic=False, attempt=0, fps=10)
    log = EpisodeLog(world, None)
    state = dict.fromkeys(JOINTS, 0.0)
    log.observed(state)
    log.acted()
    log.frame_added(Mock(fps=10), {"observation.state": [0.0] * len(JOINTS)})
    log.observed(state)
    log.acted()
    if held:
        log.frame_held(None)
    log.observed(state)
    assert world.lay_out.called == (not held)


def test_the_truth_is_that_of_the_frames_that_are_kept(tmp_path):
    truths = [Truth(held=False, lifted=False, cube=(float(number), 0.0, 0.0)) for number in range(7)]
    world = Mock(recording=None, episodic=False, attempt=0, saved=0, fps=10, truth=Mock(side_effect=truths))
    log, dataset = EpisodeLog(world, None), Mock(fps=10, root=tmp_path / "set")
    for number in range(7):
        log.observed(dict.fromkeys(JOINTS, float(number)))
        log.acted()
        log.frame_added(dataset, {"observation.state": [float(number)] * len(JOINTS)})
    log.frames_kept(dataset, 2, 6)
    log.episode_saved(dataset, 0)
    assert read_truth(truth_folder(None, tmp_path / "set"))[0].frames == truths[2:6]

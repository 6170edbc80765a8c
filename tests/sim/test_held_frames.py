"""A pause in an episode is none between episodes."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from lerobot_grasp_plugin.sim.episode_log import EpisodeLog
from lerobot_grasp_plugin.sim.joints import JOINTS


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

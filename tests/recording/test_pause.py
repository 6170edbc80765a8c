"""What the arm does while an episode is paused, and afterwards."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.recording.pause import Pause


def at(place: float) -> dict[str, float]:
    return {"elbow.pos": place, "gripper.pos": 5.0}


def test_the_arm_holds_and_then_follows_no_faster_than_it_may():
    pause = Pause(30, at(0))
    assert pause.action(at(10)) == at(10)
    assert pause.toggle() is True
    assert [pause.action(at(place)) for place in (11, 40, 90)] == [at(10)] * 3
    assert pause.active
    assert pause.toggle() is False
    assert [pause.action(at(15)) for _ in range(4)] == [at(12), at(14), at(15), at(15)]
    assert not pause.active
    assert pause.action(at(90)) == at(90)  # the leader leads again


def test_a_pause_before_the_first_action_holds_that():
    pause = Pause(30, at(0))
    pause.toggle()
    assert pause.action(at(10)) == at(10)
    assert pause.action(at(20)) == at(10)


def test_the_next_episode_is_not_paused():
    pause = Pause(30, at(0))
    pause.action(at(10))
    pause.toggle()
    pause.action(at(11))
    pause.end()
    assert not pause.active
    assert pause.action(at(11)) == at(11)


@pytest.mark.parametrize("names", [["delta_x"], ["elbow.pos", "x.vel"]])
def test_an_arm_that_is_sent_no_positions_cannot_hold(names):
    assert Pause(30, names).toggle() is None

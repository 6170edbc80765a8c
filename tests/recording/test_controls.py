"""What LeRobot's keys mean in each phase of a session."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from lerobot_grasp_plugin.recording import keys
from lerobot_grasp_plugin.recording.controls import Controls
from lerobot_grasp_plugin.recording.dialogue import Verdict
from lerobot_grasp_plugin.recording.edits import Edits
from lerobot_grasp_plugin.recording.recorder import Attempt
from lerobot_grasp_plugin.recording.session import Session
from tests.support.deadline import DEADLINE_S


@pytest.fixture
def said():
    return []


@pytest.fixture
def controls(said):
    return Controls(said.append)


@pytest.mark.parametrize(("key", "again"), [("n", False), ("Right", False), ("r", True), ("LEFT", True)])
def test_an_episode_ends_with_its_first_frame_at_the_earliest(controls, key, again):
    with controls.phase("episode"):
        controls.press(key)
        assert not controls.events["exit_early"]
        controls.frame_added()
        assert controls.events["exit_early"]
    assert controls.take_rerecord() == again
    assert not controls.take_rerecord()
    with controls.phase("episode"):
        controls.frame_added()
        assert not controls.events["exit_early"]
        controls.press(key)
        assert controls.events["exit_early"]


def test_a_reset_ends_at_once_and_what_is_pressed_in_between_is_named(controls, said):
    with controls.phase("reset"):
        controls.press("r")
        assert controls.events["exit_early"]
    assert controls.take_rerecord()
    controls.press("n")
    controls.press("x")
    assert said == ["next: ignored outside an episode or reset"]
    with controls.phase("reset"):
        assert not controls.events["exit_early"]


def test_quit_counts_whenever_it_is_pressed(controls, said):
    controls.press("q")
    assert controls.quit
    with controls.phase("episode"):
        assert controls.events["exit_early"]
    assert not said


def test_an_episode_that_was_not_saved_costs_no_other_one(controls, monkeypatch):
    session = object.__new__(Session)
    dataset = SimpleNamespace(num_episodes=2, reset_time_s=1)
    session._config = SimpleNamespace(dataset=dataset)
    session._controls, session._hooks, session._show = controls, [], Mock()
    session.store = Mock(episodes=0, edits=Edits())
    saved = iter([True, False, True])
    monkeypatch.setattr(session, "_attempt", lambda: Mock(spec=Attempt), raising=False)
    monkeypatch.setattr(session, "_verdict", lambda attempt: Verdict(keep=True), raising=False)
    monkeypatch.setattr(session, "_save", lambda attempt, verdict: next(saved), raising=False)
    resets = iter(["n", "r"])
    monkeypatch.setattr(session, "_say", lambda text: None, raising=False)
    monkeypatch.setattr(
        session, "_loop", lambda recorder, seconds: controls.press(next(resets)), raising=False
    )
    session._record()
    session.store.take_back.assert_not_called()


def test_an_answer_may_come_as_soon_as_the_question_is_there(monkeypatch):
    given, taken = queue.Queue(), threading.Event()

    class Lines:
        def isatty(self):
            return False

        def __iter__(self):
            yield given.get()
            taken.set()
            yield given.get()

    def printed(*args, **kwargs):
        given.put("34-\n")
        assert taken.wait(DEADLINE_S)  # the line was read before printing came back

    monkeypatch.setattr(keys.sys, "stdin", Lines())
    monkeypatch.setattr(keys, "pynput_can_capture", lambda: False)
    monkeypatch.setattr(keys, "print", printed, raising=False)
    pressed = []
    made = keys.Keys(lambda key, at: pressed.append(key), 0.12, "")
    with ThreadPoolExecutor(1) as asking:
        answer = asking.submit(made.ask, "?")
        try:
            assert answer.result(10) == "34-"
        finally:
            made._answers.put(None)  # lets it go if it still waits
            given.put("x")
    assert "34-" not in pressed

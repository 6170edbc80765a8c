"""What the actor learns from LeRobot's log, and what it sends to the learner of an episode."""

import logging
import os
import signal
import threading
from dataclasses import asdict
from importlib import import_module

import pytest

pytest.importorskip("lerobot.rl")

from lerobot_grasp_plugin.learning.rl import actor_run
from lerobot_grasp_plugin.learning.rl.episode_log import EpisodeLog, EpisodeRecord
from lerobot_grasp_plugin.learning.rl.run_lines import append_line


def said(message, *, module="actor", level=logging.ERROR, error=None):
    info = None if error is None else (type(error), error, None)
    record = logging.LogRecord("root", level, f"/x/{module}.py", 1, message, (), info)
    assert record.module == module
    return record


@pytest.fixture
def killed(monkeypatch):
    signals = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    return signals


def test_an_actor_whose_learner_is_gone_ends(killed):
    watch = actor_run._FailureWatch()
    shown = [watch.filter(said("[ACTOR] gRPC error: UNAVAILABLE")) for _ in range(3)]  # of each stream
    assert shown == [True, False, False]
    assert killed == [(os.getpid(), signal.SIGTERM)]
    assert watch.message == "the learner no longer answers"


def test_a_learner_that_ends_after_a_signal_is_no_failure(killed):
    watch = actor_run._FailureWatch()
    watch.filter(said(" Shutdown signal 2 received. Cleaning up", module="process", level=logging.INFO))
    watch.filter(said("[ACTOR] gRPC error: CANCELLED"))
    watch.filter(said("[ACTOR] Failed to establish connection with Learner"))
    assert (killed, watch.message) == ([], None)


@pytest.mark.parametrize("module", ["learning.rl.learner_run", "learning.rl.actor_run"])
def test_a_signal_between_two_halves_of_a_line_writes_nothing(module):
    """A signal's handler runs inside of a write as well, and a second write in there is a RuntimeError."""
    watch = import_module(f"lerobot_grasp_plugin.{module}")._FailureWatch()
    assert not watch.filter(
        said(" Shutdown signal 15 received. Cleaning up", module="process", level=logging.INFO)
    )
    assert not watch.filter(said("Force shutdown", module="process", level=logging.INFO))
    assert watch.filter(said("Episode 3", module="actor_run", level=logging.INFO))


def test_streams_that_break_off_after_the_last_step_are_no_failure(killed):
    watch = actor_run._FailureWatch()
    watch.filter(said("[ACTOR] Policy loop finished", level=logging.INFO))
    assert not watch.filter(said("Exception iterating requests!", module="_channel", error=OSError("closed")))
    assert not watch.filter(said("[ACTOR] gRPC error: UNKNOWN"))
    assert (killed, watch.message) == ([], None)


def test_a_thread_of_a_stream_that_is_closed_at_the_end_is_silent(capsys):
    watch = actor_run._FailureWatch()
    closed = ValueError("Queue is closed")
    failure = threading.ExceptHookArgs((ValueError, closed, None, threading.current_thread()))
    watch.of_thread(failure)
    assert "Queue is closed" in capsys.readouterr().err
    watch.filter(said("[ACTOR] Policy loop finished", level=logging.INFO))
    watch.of_thread(failure)
    assert capsys.readouterr().err == ""
    full = OSError("No space left on device")
    watch.of_thread(threading.ExceptHookArgs((OSError, full, None, threading.current_thread())))
    assert "No space left on device" in capsys.readouterr().err


def test_an_exception_is_kept_also_after_a_signal(killed):
    watch = actor_run._FailureWatch()
    watch.filter(said("Unhandled exception", error=ValueError("EE jump")))
    assert watch.message == "the actor ended: ValueError: EE jump"
    watch.filter(said("[ACTOR] gRPC error: UNAVAILABLE"))
    assert (killed, watch.message) == ([], "the actor ended: ValueError: EE jump")
    other = actor_run._FailureWatch()
    other.filter(said("[ACTOR] Failed to establish connection with Learner"))
    assert other.message == "the actor cannot reach a learner"


def test_the_message_of_an_episode_has_the_truth_where_it_is_known(tmp_path):
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    message = {"Episodic reward": 1.0}
    assert actor_run._with_truth(lambda value: value, log, message) == message
    log.last = EpisodeRecord(0, reward=1.0, held=False, false_reward=True)
    sent = actor_run._with_truth(lambda value: value, log, message)
    assert sent == {"Episodic reward": 1.0, "Held": 0, "False reward": 1}
    log.last = EpisodeRecord(1, reward=1.0)  # a real arm
    assert actor_run._with_truth(lambda value: value, log, message) == message


def test_one_line_says_what_the_last_episodes_came_to(tmp_path):
    path = tmp_path / "episodes.jsonl"
    truth = type("Truth", (), {"held": True, "grasped": True})()
    log = EpisodeLog(path, lambda: truth)
    for number in range(25):
        log.episode_starts(None)
        truth.held = number % 2 == 0
        log.stepped(None, {"reward": 1.0, "done": True, "truncated": False, "info": {}})
    assert log.last is not None
    line = actor_run.run_summary(path, log.last, 1000)
    assert "Episode 24: 1 steps, reward 1; last 20: rewarded 20/20, held 10/20, false rewards 10/20" in line
    assert "reward 1.00, interventions 0 % of steps; step 25 of 1000" in line


def test_the_line_says_how_long_the_run_will_last(tmp_path):
    path = tmp_path / "episodes.jsonl"
    for number in range(3):
        record = EpisodeRecord(number, steps=30, total_steps=30 * (number + 1), seconds=3.0 * number)
        append_line(path, asdict(record))
    line = actor_run.run_summary(path, record, 1290)
    assert line.endswith("step 90 of 1290, 10.0 per second, 2 min left")
    assert EpisodeLog(path).earlier_steps == 90  # a resumed run makes its steps after these

"""The actor that the learner starts: each ends when the other does."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.deadline import DEADLINE_S

LEARNER = """
import signal, sys, threading
from lerobot_grasp_plugin.commands.actor_process import ActorProcess
signalled = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: signalled.set())
actor = ActorProcess(["--config_path=none.json"])
if sys.argv[1] == "waits":
    signalled.wait({deadline})
actor.end()
print(signalled.is_set(), actor.failed)
"""


def ran(learner, folder):
    program = [sys.executable, "-c", LEARNER.format(deadline=DEADLINE_S), learner]
    done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.split(), done.stderr


def test_an_actor_that_fails_ends_the_learner_and_is_named(tmp_path):
    said, errors = ran("waits", tmp_path)
    assert said == ["True", "True"]
    assert "--config_path: none.json: no such file or directory" in errors
    assert "The actor ended with exit code 2" in errors


def test_an_actor_that_the_learner_ends_has_not_failed(tmp_path):
    os.mkfifo(tmp_path / "none.json")  # the actor waits for its config
    said, errors = ran("ends", tmp_path)
    assert said == ["False", "False"]
    assert errors == ""


ACTOR = """
import signal
from lerobot_grasp_plugin.commands import actor_process
actor_process._ALONE_S = 0.0
actor_process.end_with_learner()
print("started", flush=True)
signal.pause()
"""
STARTER = f"""
import os, sys
from lerobot_grasp_plugin.commands import actor_process
program = [sys.executable, "-c", {ACTOR!r}]
start = actor_process.subprocess.Popen
actor_process.subprocess.Popen = lambda _, env: start(program, env=env)
actor = actor_process.ActorProcess([])
actor._watch.join()
"""


def test_an_actor_that_has_not_connected_ends_with_a_killed_learner():
    with subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True) as learner:
        assert learner.stdout.readline() == "started\n"
        learner.kill()
        learner.communicate(timeout=DEADLINE_S)  # the actor has this pipe, too, until it ends


def test_an_actor_that_a_person_started_outlives_that_process(monkeypatch):
    from lerobot_grasp_plugin.commands import actor_process

    monkeypatch.delenv(actor_process._LEARNER, raising=False)
    started = []
    monkeypatch.setattr("threading.Thread", lambda **_: started.append(1))
    actor_process.end_with_learner()
    assert started == []

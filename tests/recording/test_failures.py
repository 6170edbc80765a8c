"""What a session leaves behind when something breaks."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import pytest

from lerobot_grasp_plugin.recording.checkpoint import checkpoint_path
from lerobot_grasp_plugin.verify.verifier import verify_dataset

pytestmark = pytest.mark.in_turn

QUICK = ("--grasp.ask=false", "--grasp.relabel=never", "--dataset.episode_time_s=0.6")
ROUNDS = int(os.environ.get("GRASP_KILL_ROUNDS", "2"))


def finished(rig) -> int:
    """Episodes the command has said are saved, counted in all it has printed so far."""
    return rig.log.count(" saved.")


def check(rig, saved: int) -> int:
    """Everything that was said to be saved is there, whole and labelled; the number of episodes."""
    report = verify_dataset(rig.root)
    assert report.ok, report.problems
    info = json.loads((rig.root / "meta/info.json").read_text())
    assert info["total_episodes"] >= saved
    text = (rig.folder / "picks_annotations.txt").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == info["total_episodes"]
    records = json.loads((rig.root / "meta/grasp_recording.json").read_text())["episodes"]
    assert sorted(map(int, records)) == list(range(info["total_episodes"]))
    return info["total_episodes"]


def test_killed_at_random_moments(rig, rewards):
    """GRASP_KILL_ROUNDS=50 runs as many kills; -s shows what they came to."""
    chance = random.Random(7)
    saved = 0
    for number in range(ROUNDS):
        resume = ("--resume=true",) if rig.root.exists() or checkpoint_path(rig.root).exists() else ()
        rig.start(*resume, "--dataset.num_episodes=1000", *QUICK, fresh_log=False)
        rig.expect("Recording episode")
        if number == 0:
            rig.expect(" saved.")
        time.sleep(chance.uniform(0, 3))
        os.kill(rig.process.pid, signal.SIGKILL)
        rig.finish()
        saved = max(saved, finished(rig))
    rig.start("--resume=true", "--dataset.num_episodes=1", *QUICK, fresh_log=False)
    code, printed = rig.finish()
    assert code == 0, printed
    assert "was interrupted" in rig.log
    episodes = check(rig, finished(rig))
    assert finished(rig) <= episodes <= finished(rig) + ROUNDS
    print(f"{ROUNDS} kills, {finished(rig)} episodes said to be saved, {episodes} there")
    assert [len(rows) for rows in rewards(rig.root)] == [
        json.loads((rig.root / "meta/grasp_recording.json").read_text())["episodes"][str(number)]["length"]
        for number in range(episodes)
    ]


def test_cable_pulled_in_mid_episode_and_an_arm_that_will_not_be_let_go(rig, monkeypatch):
    patience = rig.folder / "patience"
    monkeypatch.setenv("GRASP_PATIENCE_FILE", str(patience))
    rig.follower.spoil_every(3)  # and the driver asks again
    rig.start("--dataset.num_episodes=5", "--grasp.relabel=always", "--dataset.episode_time_s=1000")
    rig.expect("Recording episode 0")
    rig.leader.wait_for_reads(8)
    rig.send("n")
    rig.expect("[Enter] accept")
    rig.send("all success\n")
    rig.expect("Episode 0: all success")
    rig.send("\n")
    rig.expect("Episode 0 saved")
    rig.expect("Recording episode 1")
    rig.leader.wait_for_reads(8)
    rig.leader.deafen()
    assert rig.follower.bad_answers > 0
    rig.follower.unplug()
    rig.expect("1 episode recorded")  # while the driver still waits for the leader
    staged = rig.folder / "patience.staged"
    staged.write_text("0.5")
    staged.rename(patience)  # as whole as it appears
    rig.expect("its unfinished episode is lost")
    code, printed = rig.finish()
    assert code == 1
    assert "after everything was saved: the teleoperator: ConnectionError" in printed
    assert "Traceback" not in rig.log.split("Recording episode 1")[1]
    assert check(rig, 1) == 1
    assert not checkpoint_path(rig.root).exists()


@pytest.fixture
def rig(rig):
    """The rig, with all output of all its runs in ``log``."""
    rig.log = ""
    start = rig.start

    def started(*flags, fresh_log=True):
        if fresh_log:
            rig.log = ""
        start(*flags)

    def reading():
        data = rig.process.stdout.read()
        if data:
            rig.output += data.decode(errors="replace")
            rig.log += data.decode(errors="replace")

    rig.start, rig._read = started, reading
    return rig

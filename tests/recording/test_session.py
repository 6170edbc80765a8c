"""Whole sessions with LeRobot's real drivers on emulated arms."""

from __future__ import annotations

import json

import pytest
from lerobot.datasets import LeRobotDataset

from lerobot_grasp_plugin.recording.session_report import SessionReport
from lerobot_grasp_plugin.verify.verifier import verify_dataset

pytestmark = pytest.mark.in_turn

ENTER = "\n"


def sidecar(root):
    return json.loads((root / "meta/grasp_recording.json").read_text())["episodes"]


def test_record_mark_correct_relabel_resume(rig, rewards):
    flags = ("--dataset.num_episodes=3", "--dataset.episode_time_s=1000", "--grasp.lag_frames=3")
    rig.start(*flags, forked=False)
    rig.expect("Recording episode 0")
    rig.send("n")  # heeded with the first frame
    rig.expect("[Enter] accept")
    rig.send("r\n")
    rig.expect("is discarded")
    rig.expect("Recording episode 0")
    rig.send("sss")  # a held key counts once
    rig.expect("SUCCESS from frame")
    rig.leader.wait_for_reads(3)  # one in each frame: in an episode of one frame "0: 1" would change nothing
    rig.send("n")
    rig.expect("[Enter] accept")
    rig.send(ENTER)
    rig.expect("Episode 0 saved")
    rig.expect("Recording episode 1")
    rig.send("s")
    rig.expect("SUCCESS")
    rig.send("f")
    rig.expect("rest fails")
    rig.send("u")
    rig.expect("undone")
    rig.send("p")
    rig.expect("PAUSED")
    rig.leader.wait_for_reads(10)  # the session goes on, and the episode does not
    rig.send("p")
    rig.expect("Continuing")
    rig.leader.wait_for_reads(8)  # one in each frame: the episode has five
    rig.send("n")
    rig.expect("[Enter] accept")
    rig.send("99999-\n")
    rig.expect("past the end")
    rig.send("2-3, 5-\n")
    rig.expect("success 2-3, 5-")
    rig.send("0: 1\n")
    rig.expect("applied after the session")
    rig.send(ENTER)
    rig.expect("Recording episode 2")
    rig.send("n")
    rig.expect("[Enter] accept")
    rig.send("q\n")
    rig.expect("Labels changed since recording: episode 0")
    rig.expect("apply changes of episode 0")
    assert [row[0] for row in rewards(rig.root)][1:] == [0.0, 0.0]
    before = rewards(rig.root)
    event = sidecar(rig.root)["0"]["keys"][0]
    assert event["from_frame"] == max(0, event["frame_index"] - 3)
    assert len(sidecar(rig.root)["0"]["keys"]) == 1
    expected = [float(frame >= event["from_frame"]) for frame in range(len(before[0]))]
    assert before[0] == expected
    rig.send("maybe\n")
    rig.expect("press Enter or type n")
    rig.send(ENTER)
    code, printed = rig.finish()
    assert code == 0, printed
    after = rewards(rig.root)
    assert after[0] == [1.0] + [0.0] * (len(before[0]) - 1)
    assert after[1] == [float(frame in (1, 2) or frame >= 4) for frame in range(len(before[1]))]
    assert after[2] == [0.0] * len(after[2])
    assert sidecar(rig.root)["0"]["success"] == [[0, 1]]
    assert [len(episode["pauses"]) for episode in sidecar(rig.root).values()] == [0, 1, 0]
    text = (rig.folder / "picks_annotations.txt").read_text()
    assert text == "# dataset path: lab/picks\n00: 1\n01: 2-3, 5-\n02: all fail\n"
    dataset = LeRobotDataset("lab/picks", rig.root)
    assert len(dataset) == sum(map(len, after))
    assert all(dataset[index]["next.done"] == (index == len(dataset) - 1) for index in (0, len(dataset) - 1))

    hooks = "--grasp.hooks=[{type: gripper_events}]"
    once = ("--dataset.num_episodes=1", "--dataset.episode_time_s=1000", "--grasp.ask=false")
    rig.start("--resume=true", *once, hooks)
    rig.expect("Recording episode 3")
    rig.send("s")
    rig.expect("SUCCESS")
    rig.leader.wait_for_reads(3)
    rig.send("n")
    rig.expect("Episode 3 saved")
    code, printed = rig.finish()
    assert code == 0, printed
    assert rewards(rig.root)[:3] == after
    assert set(sidecar(rig.root)["3"]["hooks"]["gripper_events"]) >= {"mean_ms", "late_frames", "suggestion"}
    assert rewards(rig.root)[3][-1] == 1.0
    assert verify_dataset(rig.root).ok
    assert not list(rig.folder.glob(".picks.*"))


def test_without_a_terminal_lines_are_keys_and_the_reset_phase_rerecords(rig, rewards):
    long = ("--dataset.episode_time_s=300", "--dataset.reset_time_s=300")
    rig.start("--dataset.num_episodes=3", *long, "--grasp.relabel=never", terminal=False)
    for reset_key in ("r", "Right"):
        rig.expect("Recording episode 0")
        rig.send("s\n")
        rig.expect("SUCCESS")
        rig.send("n\n")
        rig.expect("[Enter] accept")
        rig.send("\n")
        rig.expect("Reset the environment")
        rig.send(f"{reset_key}\n")
    rig.expect("Recording episode 1")
    rig.send("s\n")
    rig.expect("SUCCESS")
    rig.send("q\n")
    rig.expect("[Enter] accept")
    rig.hang_up()  # nobody is there any more to say no
    code, printed = rig.finish()
    assert code == 0, printed
    assert "2 episodes recorded" in printed
    assert [rows[-1] for rows in rewards(rig.root)] == [1.0, 1.0]


def test_a_session_without_an_episode_says_why(tmp_path) -> None:
    report = SessionReport("me/x", tmp_path, tmp_path / "x.txt", 0, 0, "no arm at /dev/ttyACM1")
    assert list(report.lines()) == ["No episodes of me/x were recorded: no arm at /dev/ttyACM1"]

"""Learner and actor of a small run in the simulation: killed in the middle, and resumed."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lerobot.rl")
pytest.importorskip("placo")

from lerobot_grasp_plugin.sim.joints import JOINTS
from tests.support.deadline import DEADLINE_S, wait_until
from tests.support.learner_process import free_port, running
from tests.support.project import CONFIGS

PROGRAM = str(Path(sys.executable).with_name("lerobot-grasp-learner"))
CONFIG = CONFIGS / "sim/hilserl_state.json"

pytestmark = pytest.mark.in_turn


def demonstrations(root: Path, states: dict[str, list[float]]) -> Path:
    """Two episodes in steps of the end effector, the last frame of each a success.

    Args:
        root: Where they go.
        states: The least and the greatest joint positions, as the policy's statistics have them.
    """
    from lerobot.datasets import LeRobotDataset

    features = {
        "observation.state": {"dtype": "float32", "shape": (6,), "names": [f"{name}.pos" for name in JOINTS]},
        "action": {
            "dtype": "float32",
            "shape": (4,),
            "names": ["delta_x", "delta_y", "delta_z", "gripper"],
        },
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.done": {"dtype": "bool", "shape": (1,), "names": None},
        "complementary_info.discrete_penalty": {"dtype": "float32", "shape": (1,), "names": None},
    }
    numbers = np.random.default_rng(0)
    dataset = LeRobotDataset.create("lab/demonstrations", 10, features, root=root)
    for _ in range(2):
        for frame in range(12):
            action = np.append(numbers.uniform(-1, 1, 3), frame % 3)
            dataset.add_frame(
                {
                    "observation.state": numbers.uniform(states["min"], states["max"]).astype(np.float32),
                    "action": action.astype(np.float32),
                    "next.reward": np.array([float(frame == 11)], np.float32),
                    "next.done": np.array([frame == 11]),
                    "complementary_info.discrete_penalty": np.zeros(1, np.float32),
                    "task": "grasp the cube",
                }
            )
        dataset.save_episode()
    dataset.finalize()
    return root


def config_file(folder: Path) -> Path:
    """The shipped config, with few steps, and a script that takes over in the very first episode only."""
    config = json.loads(CONFIG.read_text())
    states = config["policy"]["dataset_stats"]["observation.state"]
    root = demonstrations(folder / "demonstrations", states)
    config["dataset"] |= {"repo_id": "lab/demonstrations", "root": str(root)}
    config |= {"cache_dir": str(folder / "cache"), "output_dir": str(folder / "run")}
    config |= {"batch_size": 8, "log_freq": 5, "save_freq": 20, "bc_steps": 5}
    config["policy"] |= {"latent_dim": 16, "online_step_before_learning": 20}
    config["policy"] |= {"online_buffer_capacity": 2000, "offline_buffer_capacity": 2000}
    config["policy"]["actor_learner_config"]["learner_port"] = free_port()
    config["env"]["teleop"]["takeover"] = {"start": 1.0, "decay": 0.0, "floor": 0.0, "latest": 0}
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def actor_of(learner):
    """The process of the actor that a learner started."""
    children = Path(f"/proc/{learner.pid}/task/{learner.pid}/children").read_text()
    (found,) = [
        int(pid)
        for pid in children.split()
        if b"lerobot_grasp_plugin.commands.actor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    return found


def lines(path):
    """The whole lines of a log that is being written."""
    text = path.read_text() if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_run_goes_on_after_a_kill_of_its_actor_and_of_its_learner(simulator, tmp_path):
    path = config_file(tmp_path)
    run_folder = tmp_path / "run"
    last, log = run_folder / "checkpoints/last", run_folder / "episodes.jsonl"

    def rows():
        return lines(run_folder / "training.jsonl")

    def state():
        return json.loads((last / "training_state/training_step.json").read_text())

    def saved_with_an_episode(run):
        """A checkpoint is complete that was saved after the learner had heard of an episode."""
        told = [row["update"] for row in rows() if row["interaction_step"]]
        complete = run.output.count("Resume training") == run.output.count("Checkpoint policy after step")
        return told and last.exists() and complete and state()["step"] >= told[0]

    with running(tmp_path / "first.txt", PROGRAM, f"--config_path={path}", "--with_actor=true") as run:
        run.until(lambda: saved_with_an_episode(run), "a checkpoint")
        os.kill(actor_of(run.process), signal.SIGKILL)
        assert run.process.wait(DEADLINE_S) == 1, run.output[-5000:]
        assert "The actor ended with exit code -9" in run.output
    assert (run_folder / "training.png").is_file()
    saved, first_rows, first_episodes = state(), rows(), lines(log)
    # LeRobot counts the actor's steps from 0
    assert saved["interaction_step"] + 1 in [one["total_steps"] for one in first_episodes]
    assert first_episodes[0]["intervention_steps"] > 0
    log.write_text(log.read_text() + json.dumps(first_episodes[-1])[:20])  # a kill in the middle of a write

    config = last / "pretrained_model/train_config.json"
    flags = (f"--config_path={config}", "--resume=true", "--with_actor=true")
    with running(tmp_path / "second.txt", PROGRAM, *flags) as run:
        place = f"Resuming from step {saved['step']}, interaction step {saved['interaction_step']}"
        run.until_printed(place)
        run.until(lambda: rows()[len(first_rows) :], "an update")
        run.until(lambda: len(lines(log)) > len(first_episodes) + 1, "two more episodes")
        actor = actor_of(run.process)
        run.process.kill()
        run.process.wait(DEADLINE_S)
        wait_until(lambda: is_gone(actor), lambda: "the actor goes on without its learner")
        assert "the learner no longer answers" in run.output
    second_rows, second_episodes = rows(), lines(log)
    assert second_rows[: len(first_rows)] == first_rows
    # the first run ended with a checkpoint of its last update; a row is written every fifth
    assert second_rows[len(first_rows)]["update"] == (saved["step"] // 5 + 1) * 5
    assert second_episodes[: len(first_episodes)] == first_episodes

    with running(tmp_path / "third.txt", PROGRAM, *flags) as run:
        run.until(lambda: rows()[len(second_rows) :], "an update")
        actor = actor_of(run.process)
        run.process.terminate()
        assert run.process.wait(DEADLINE_S) == 0, run.output[-5000:]
        assert is_gone(actor)
    episodes = lines(log)
    assert [one["episode"] for one in episodes] == list(range(len(episodes)))
    assert episodes[-1]["total_steps"] == sum(one["steps"] for one in episodes)
    assert not any(one["intervention_steps"] for one in episodes[1:])  # the share goes on where it was
    seconds = [row["seconds"] for row in rows()]
    assert seconds == sorted(seconds)

"""What LeRobot's recorder leaves when it is killed, in each of its steps, is called what it is."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lerobot_grasp_plugin import verify_dataset
from lerobot_grasp_plugin.commands.merge import main

_RECORDER = """
import os, shutil, signal, sys
import numpy as np
from pathlib import Path
from lerobot.datasets import LeRobotDataset
import lerobot.datasets.dataset_metadata as metadata
import lerobot.datasets.dataset_writer as writer

KEY = "observation.images.wrist"
FEATURES = {"observation.state": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
            "action": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
            KEY: {"dtype": "video", "shape": (64, 96, 3), "names": ["height", "width", "channels"]}}

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def create(root):
    return LeRobotDataset.create("me/set", 10, FEATURES, root=root)

def resume(root):
    shutil.copytree(root.parent / "whole", root)
    return LeRobotDataset.resume("me/set", root=root)

def frames(dataset, number=12):
    random = np.random.default_rng(dataset.meta.total_episodes)
    for _ in range(number):
        dataset.add_frame({"observation.state": random.random(2, np.float32), "task": "pick",
            "action": random.random(2, np.float32), KEY: random.integers(0, 255, (64, 96, 3), np.uint8)})

def episode(dataset):
    frames(dataset)
    dataset.save_episode()

def whole(root):
    dataset = create(root)
    episode(dataset)
    episode(dataset)
    dataset.finalize()
    os._exit(0)

def created(root):
    dataset = create(root)
    die()

def in_the_first_episode(root):
    dataset = create(root)
    frames(dataset)
    die()

def encoding_the_first_episode(root):
    dataset = create(root)
    writer.encode_video_frames = die
    episode(dataset)

def before_the_first_is_listed(root):
    dataset = create(root)
    metadata.LeRobotDatasetMetadata.save_episode = die
    episode(dataset)

def before_finalize(root):
    dataset = create(root)
    episode(dataset)
    episode(dataset)
    frames(dataset, 5)
    die()

def resumed_encoding(root):
    dataset = resume(root)
    writer.encode_video_frames = die
    episode(dataset)

def resumed_before_the_third_is_listed(root):
    dataset = resume(root)
    metadata.LeRobotDatasetMetadata.save_episode = die
    episode(dataset)

def resumed_before_finalize(root):
    dataset = resume(root)
    episode(dataset)
    die()

def resumed_in_the_third(root):
    dataset = resume(root)
    frames(dataset, 5)
    die()

def resumed_only(root):
    dataset = resume(root)
    die()

for name in ("whole", *sys.argv[2:]):
    child = os.fork()
    if not child:
        globals()[name](Path(sys.argv[1]) / name)  # each ends with die(): a dataset let go of is finalized
    os.waitpid(child, 0)
"""

STATES = {
    "created": ({"no-episodes"}, "remove the folder and record again"),
    "in_the_first_episode": ({"no-episodes", "unfinished-episode"}, "12 images in images/"),
    "encoding_the_first_episode": (
        {"unfinished-recording", "bad-parquet", "unfinished-episode"},
        "while its first episode was being saved",
    ),
    "before_the_first_is_listed": (
        {"unfinished-recording", "bad-parquet"},
        "images left: the videos",
    ),
    "before_finalize": (
        {"unfinished-recording", "bad-parquet", "unfinished-episode"},
        "before finalize() listed its episodes: info.json has 2 episodes",
    ),
    "resumed_encoding": (
        {"unfinished-resume", "bad-parquet", "unfinished-episode"},
        "while episode 2 was being saved",
    ),
    "resumed_before_the_third_is_listed": (
        {"unfinished-resume", "bad-parquet"},
        "to keep episodes 0-1, move data/chunk-000/file-001.parquet",
    ),
    "resumed_before_finalize": (
        {"unfinished-resume", "bad-parquet"},
        "set total_episodes to 2 and total_frames to 24",
    ),
    "resumed_in_the_third": ({"unfinished-episode"}, "5 images of episode 2"),
    "resumed_only": (set(), ""),
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset for each state, named as it is."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", textwrap.dedent(_RECORDER), str(folder), *STATES]
    subprocess.run(command, check=True, capture_output=True, env=os.environ, timeout=600)
    return folder


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed")
@pytest.mark.parametrize("name", STATES)
def test_the_state_a_kill_leaves_is_named(name: str, killed: Path) -> None:
    codes, words = STATES[name]
    problems = [problem for problem in verify_dataset(killed / name).problems if problem.severity != "note"]
    assert {problem.code for problem in problems} == codes, "\n".join(map(str, problems))
    text = "\n".join(map(str, problems))
    assert words in text
    assert "copy it again" not in text
    assert "record it again" not in text


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed")
@pytest.mark.parametrize("name", [name for name, (codes, _) in STATES.items() if "bad-parquet" in codes])
def test_what_a_kill_leaves_whole_is_saved_by_the_command_of_the_hint(name: str, killed: Path) -> None:
    commands = {one for problem in verify_dataset(killed / name).problems for one in problem.commands}
    if not commands:
        assert name == "encoding_the_first_episode"  # no episode has rows and images
        return
    (command,) = commands
    assert main(shlex.split(str(command))[1:]) == 0
    assert verify_dataset(killed / f"{name}_rescued").ok

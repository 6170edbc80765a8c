"""In short: record, learn, count. A policy that was trained grasps, one that was not does not."""

import csv
import json
import os
import shutil
import socket
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from tests.support import preloaded
from tests.support.project import CONFIGS

DEMONSTRATIONS, EPISODES = 10, 2

pytestmark = pytest.mark.in_turn


def run(*command):
    code, printed = preloaded.run(command, os.environ)
    assert code == 0, printed[-6000:]
    return printed


def program(name):
    return Path(sys.executable).with_name(name)


def write(path, config):
    path.write_text(json.dumps(config))
    return f"--config_path={path}"


@pytest.fixture
def learner_config(simulator, tmp_path):
    """A config of the learner, from the joints alone and with the cube in one place; its dataset is there."""
    pytest.importorskip("lerobot.rl.learner")
    pytest.importorskip("placo")
    learner = json.loads((CONFIGS / "sim/hilserl_state.json").read_text())
    record = json.loads((CONFIGS / "sim/record.json").read_text())
    record["env"]["robot"] = learner["env"]["robot"] | {"realtime": False}
    folder = str(tmp_path / "demonstrations")
    record["dataset"] |= {"root": folder, "num_episodes_to_record": DEMONSTRATIONS}
    learner["dataset"]["root"] = folder
    learner |= {"save_freq": 40, "log_freq": 20, "with_actor": True}
    learner["cache_dir"] = str(tmp_path / "cache")
    learner["output_dir"] = str(tmp_path / "run")
    learner["policy"] |= {"online_steps": 300, "online_step_before_learning": 50}
    printed = run(
        sys.executable,
        "-m",
        "lerobot.rl.gym_manipulator",
        write(tmp_path / "record.json", record),
        "--env.discover_packages_path=lerobot_grasp_plugin",
    )
    assert f"Episode {DEMONSTRATIONS - 1}: " in printed
    assert "frames, at its end the cube is held and lifted" in printed
    assert "Svt[info]" not in printed
    return write(tmp_path / "learner.json", learner)


@pytest.fixture
def port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def lifted(checkpoints, output):
    """Share of episodes in which the best of the checkpoints lifts the cube."""
    run(
        program("lerobot-grasp-eval-policy"),
        f"--run={checkpoints}",
        f"--num_episodes={EPISODES}",
        f"--output_dir={output}",
    )
    with (output / "episodes.csv").open() as file:
        rows = list(csv.DictReader(file))
    of_checkpoint = Counter({row["checkpoint"]: 0 for row in rows})
    of_checkpoint.update(row["checkpoint"] for row in rows if row["lifted"] == "1")
    assert len(rows) == EPISODES * len(of_checkpoint)
    return max(of_checkpoint.values()) / EPISODES


def untrained(checkpoint, folder):
    """A checkpoint of the same policy with the weights it started from."""
    from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy
    from lerobot.rl.train_rl import TrainRLServerPipelineConfig

    import_module("lerobot_grasp_plugin.plugin")  # the simulated arm by its name
    config = TrainRLServerPipelineConfig.from_pretrained(checkpoint / "train_config.json")
    GaussianActorPolicy(config.policy).save_pretrained(folder)
    shutil.copy(checkpoint / "train_config.json", folder)
    return folder


def test_a_policy_learns_to_grasp(learner_config, tmp_path, port):
    learner_port = f"--policy.actor_learner_config.learner_port={port}"
    printed = run(program("lerobot-grasp-learner"), learner_config, learner_port)
    assert f"=== Preflight of {tmp_path / 'learner.json'} ===" in printed
    assert f"Count its grasps: lerobot-grasp-eval-policy --run {tmp_path / 'run'}" in printed
    assert "Traceback" not in printed
    checkpoint = (tmp_path / "run/checkpoints/last/pretrained_model").resolve()
    assert lifted(untrained(checkpoint, tmp_path / "untrained"), tmp_path / "before") == 0
    assert lifted(tmp_path / "run", tmp_path / "after") == 1

"""LeRobot's learner, unmodified, on what this package builds: offline buffer, SAC updates, checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import draccus
import pytest
import torch
from lerobot.cameras import opencv  # noqa: F401  # makes its config known by name, as the learner does
from lerobot.configs.default import DatasetConfig
from lerobot.rl.train_rl import TrainRLServerPipelineConfig
from lerobot.robots import so_follower  # noqa: F401
from lerobot.teleoperators import gamepad  # noqa: F401
from safetensors.torch import load_file, save_file

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, read_learning, write_learning
from tests.support import factories
from tests.support import hilserl_scene as scene
from tests.support.hilserl_scene import CAMERA, STATE
from tests.support.learner_process import running

GOOD, BAD = (7, 9), (6, 5)  # lengths of the episodes
LABELS = """# dataset path: lab/good
00: 5-
01: 4-6, 9
# dataset path: lab/bad
00: all fail
01: 4-
"""
SUCCESS = {("good", 0): {4, 5, 6}, ("good", 1): {3, 4, 5, 8}, ("bad", 1): {3, 4}}  # counted from 0
CHOSEN = [("good", 0), ("good", 1), ("bad", 1)]
PREPARED = ImagePreprocessing({CAMERA: scene.CROP}, scene.SIZE)
LENGTHS = {("good", 0): 7, ("good", 1): 9, ("bad", 1): 5}
FRAMES = sum(LENGTHS.values())
SEEDS = {"good": 0, "bad": 1}

KEEP_THE_BUFFER = """
import copy, sys, torch
from lerobot.rl import learner
from lerobot.rl.buffer import ReplayBuffer

fill, convert = learner.initialize_offline_replay_buffer, ReplayBuffer._lerobotdataset_to_transitions

def filled(cfg, device, storage_device):
    ReplayBuffer._lerobotdataset_to_transitions = None  # the plugin fills the buffer in one pass
    buffer = fill(cfg=cfg, device=device, storage_device=storage_device)
    rows = slice(buffer.size)
    dataset = learner.make_dataset(cfg)
    other = copy.deepcopy(cfg)
    other.dataset.root = PLAIN
    plain = learner.make_dataset(other)
    torch.save(
        {
            "class": type(dataset).__name__,
            "transitions": convert(dataset=dataset, state_keys=cfg.policy.input_features.keys()),
            "states": {key: values[rows] for key, values in buffer.states.items()},
            "actions": buffer.actions[rows],
            "rewards": buffer.rewards[rows],
            "dones": buffer.dones[rows],
            "plain": (type(plain).__name__, plain[0]["observation.images.gripper_cam"]),
        },
        sys.argv[0] + ".buffer",
    )
    return buffer

learner.initialize_offline_replay_buffer = filled
learner.train_cli()
"""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    scene.record(folder / "good", "lab/good", GOOD, SEEDS["good"])
    scene.record(folder / "bad", "lab/bad", BAD, SEEDS["bad"])
    (folder / "labels.txt").write_text(LABELS)
    return folder


def expected_rows(recordings: Path) -> list[dict[str, Any]]:
    """Each row as the annotation has it, read through nothing but LeRobot."""
    items = {name: scene.decoded(recordings / name, f"lab/{name}") for name in SEEDS}
    starts = {("good", 0): 0, ("good", 1): GOOD[0], ("bad", 1): BAD[0]}
    rows = []
    for name, episode in CHOSEN:
        length = LENGTHS[name, episode]
        for frame in range(length):
            rows.append(
                {
                    "image": PREPARED(CAMERA, items[name][starts[name, episode] + frame][CAMERA]),
                    "state": torch.from_numpy(scene.state(SEEDS[name], episode, frame)),
                    "action": torch.from_numpy(scene.action(SEEDS[name], episode, frame)),
                    # the reward of step t is that of the state after it; the last step keeps its own
                    "reward": float(min(frame + 1, length - 1) in SUCCESS[name, episode]),
                    "done": frame == length - 1,
                }
            )
    return rows


@pytest.mark.in_turn
def test_the_offline_buffer_is_the_annotation_and_sac_learns_from_it(recordings: Path, tmp_path: Path):
    root = tmp_path / "offline"
    sources = [
        SourceConfig(root=recordings / "good", repo_id="lab/good"),
        SourceConfig(root=recordings / "bad", repo_id="lab/bad", episodes=[1]),
    ]
    merge(
        MergeConfig(sources=sources, annotations=recordings / "labels.txt", alignment="next", new_root=root)
    )
    write_learning(root, LearningSidecar(PREPARED))
    config = scene.config_for(tmp_path, {"repo_id": "lab/offline", "root": str(root)})
    config["dataset"] |= {"use_imagenet_stats": False, "video_backend": "pyav"}
    assert config["env"]["processor"]["reset"] is not None  # which LeRobot alone would crash on
    path = scene.write(tmp_path / "config.json", config)
    script = tmp_path / "learner.py"
    script.write_text(KEEP_THE_BUFFER.replace("PLAIN", repr(str(recordings / "good"))))
    flags = (f"--config_path={path}", "--dataset.discover_packages_path=lerobot_grasp_plugin")
    with running(tmp_path / "printed.txt", str(script), *flags) as learner:
        actor = scene.StandInActor(config["policy"]["actor_learner_config"]["learner_port"], learner)
        before = scene.flat(actor.parameters())
        actor.send(scene.transitions(8))
        learner.until_printed("Number of optimization step: 3")
        after = scene.flat(actor.parameters())
        while all(torch.equal(before[name], after[name]) for name in before):
            after = scene.flat(actor.parameters())
        actor.close()
        learner.stop()
    assert "Traceback" not in learner.output.split("[end of libtorchcodec")[-1]
    assert before.keys() == after.keys()
    assert all(bool(torch.isfinite(value).all()) for value in after.values())

    buffer = torch.load(f"{script}.buffer", weights_only=False)
    rows = expected_rows(recordings)
    assert buffer["class"] == "GraspDataset"
    name, image = buffer["plain"]  # a dataset without a sidecar is left as LeRobot has it, fault included
    assert (name, image.dtype, tuple(image.shape)) == ("LeRobotDataset", torch.uint8, (3, 480, 640))
    assert len(buffer["transitions"]) == len(buffer["rewards"]) == len(rows) == FRAMES
    for number, row in enumerate(rows):
        transition = buffer["transitions"][number]
        assert torch.equal(buffer["states"][CAMERA][number], row["image"])
        assert torch.equal(buffer["states"][STATE][number], row["state"])
        assert torch.equal(buffer["actions"][number], row["action"])
        assert float(buffer["rewards"][number]) == transition["reward"] == row["reward"]
        assert bool(buffer["dones"][number]) == transition["done"] == row["done"]
        after_it = rows[number] if row["done"] else rows[number + 1]
        assert torch.equal(transition["next_state"][CAMERA][0], after_it["image"])
        assert torch.equal(transition["next_state"][STATE][0], after_it["state"])
    images = buffer["states"][CAMERA]
    assert 0 <= float(images.min()) < 0.2
    assert 0.8 < float(images.max()) <= 1


def recipe(recordings: Path) -> dict[str, Any]:
    return {
        "repo_id": "lab/merged",
        "sources": [
            {"root": str(recordings / "good"), "repo_id": "lab/good"},
            {"root": str(recordings / "bad"), "repo_id": "lab/bad", "episodes": [1]},
        ],
        "annotations": str(recordings / "labels.txt"),
        "done": "episode_end",
    }


@pytest.mark.in_turn
def test_the_plugins_learner_merges_hands_on_and_resumes(recordings: Path, tmp_path: Path):
    before = {name: factories.tree(recordings / name) for name in SEEDS}
    config = scene.config_for(tmp_path, recipe(recordings))
    assert config["env"]["processor"]["reset"] is not None
    config |= {"cache_dir": str(tmp_path / "cache"), "save_freq": 2}
    path = scene.write(tmp_path / "config.json", config)
    port = config["policy"]["actor_learner_config"]["learner_port"]
    program = ("-c", "from lerobot_grasp_plugin.commands.learner import main; raise SystemExit(main())")
    with running(tmp_path / "printed.txt", *program, f"--config_path={path}", forked=False) as learner:
        actor = scene.StandInActor(port, learner)
        actor.send(scene.transitions(8))
        learner.until_printed("Resume training")  # after a checkpoint, LeRobot says so
        actor.close()
        learner.stop()
    assert "=== Preflight of" in learner.output
    assert {name: factories.tree(recordings / name) for name in SEEDS} == before

    # content-keyed, whole, and what LeRobot was given: its own config class, and a plain dataset block
    (folder,) = (tmp_path / "cache").iterdir()
    root = folder / "dataset"
    assert read_learning(root) == LearningSidecar(PREPARED)
    assert len(factories.data_table(root)) == FRAMES
    rewards = [row["reward"] for row in expected_rows(recordings)]
    assert factories.data_table(root)["next.reward"].to_pylist() in (rewards, [[value] for value in rewards])
    checkpoint = tmp_path / "run/checkpoints/last/pretrained_model/train_config.json"
    with draccus.config_type("json"):
        parsed = draccus.parse(TrainRLServerPipelineConfig, config_path=checkpoint, args=[])
    assert type(parsed.dataset) is DatasetConfig
    assert (parsed.dataset.repo_id, parsed.dataset.root) == ("lab/merged", str(root))
    assert "cache_dir" not in json.loads(checkpoint.read_text())
    reset = json.loads(checkpoint.read_text())["env"]["processor"]["reset"]
    assert reset["fixed_reset_joint_positions"] == [0.0, -50.0, 50.0, 60.0, 0.0, 60.0]

    # a second start goes on where the first one was, with its policy, and writes its own checkpoint
    weights = load_file(checkpoint.parent / "model.safetensors")
    name = next(name for name in sorted(weights) if name.startswith("actor.") and name.endswith("bias"))
    weights[name] = weights[name] + 5.0
    save_file(weights, checkpoint.parent / "model.safetensors")
    step = int(json.loads((checkpoint.parents[1] / "training_state/training_step.json").read_text())["step"])
    flags = (f"--config_path={checkpoint}", "--resume=true")
    with running(tmp_path / "resumed.txt", *program, *flags) as learner:
        learner.until_printed(f"Resuming from step {step}")
        actor = scene.StandInActor(port, learner)
        resumed = scene.flat(actor.parameters())[f"policy.{name.removeprefix('actor.')}"]
        actor.close()
        assert float((resumed - weights[name]).abs().max()) < 1.0
        learner.until_printed(f"Checkpoint policy after step {step + 2}")
        learner.until_printed("Resume training\n")
        learner.stop()
    assert list((tmp_path / "cache").iterdir()) == [folder]

"""A training of the reward classifier that is ended from outside: its best checkpoint is there, whole."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path

import pytest
from lerobot.configs.default import DatasetConfig
from lerobot.envs.configs import ImagePreprocessingConfig
from lerobot.processor import RewardClassifierProcessorStep
from lerobot.rewards.classifier import RewardClassifierConfig

from lerobot_grasp_plugin.findings.problem import DataError
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierEvalConfig, ClassifierTrainConfig
from lerobot_grasp_plugin.learning.classifier.review import eval_classifier
from lerobot_grasp_plugin.learning.classifier.training import train_classifier
from tests.support import classifier_scenes as scenes
from tests.support.talking import Talk

PROGRAM = Path(sys.executable).parent / "lerobot-grasp-train-classifier"


@pytest.fixture
def talk():
    talk = Talk()
    yield talk
    talk.kill()


def is_usable(output_dir: Path, squares: Path) -> bool:
    """One whole checkpoint, that this package evaluates and LeRobot's environment loads."""
    last = output_dir / "checkpoints/last"
    folders = [path for path in (output_dir / "checkpoints").iterdir() if not path.is_symlink()]
    steps = sorted(path.name for path in folders if not path.name.startswith("."))
    assert last.resolve().name in steps
    assert len(steps) <= 2  # a kill may come before the older one is removed
    found = eval_classifier(
        ClassifierEvalConfig(
            pretrained_path=last / "pretrained_model",
            dataset=DatasetConfig("me/squares", root=str(squares)),
        )
    )
    step = RewardClassifierProcessorStep(str(last / "pretrained_model"))
    return len(found.evaluation.episodes) == scenes.EPISODES and step.reward_classifier is not None


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [
        (signal.SIGTERM, 143, "terminated."),
        (signal.SIGINT, 130, "interrupted."),
        (signal.SIGKILL, -9, None),
    ],
)
def test_a_signal_leaves_the_best_checkpoint(squares, tmp_path, talk, sent, code, word):
    output_dir = tmp_path / "out"
    command = [
        PROGRAM,
        "--dataset.repo_id=me/squares",
        f"--dataset.root={squares}",
        "--make_encoder=true",
        "--image_preprocessing.resize_size=[128, 128]",
        "--reward_model.device=cpu",
        "--steps=100000",
        "--batch_size=8",
        "--eval_steps=2",
        "--patience=100000",
        f"--output_dir={output_dir}",
    ]
    talk.begin(command, os.environ, terminal=False)
    talk.expect(f"Output: {output_dir}, with the best checkpoint so far in ")
    for _ in range(2):
        talk.expect("lowest")
    talk.process.send_signal(sent)
    ended, said = talk.finish()
    assert ended == code
    assert "Traceback" not in said
    if word is not None:
        assert said.rstrip().endswith(word)
        assert f"is {output_dir}/checkpoints/last/pretrained_model" in said
        step = int(said.partition("The best checkpoint so far, of step ")[2].split(",")[0])
        assert (output_dir / "checkpoints/last").resolve().name == f"{step:06d}"
    assert not (output_dir / "report.json").exists()
    assert is_usable(output_dir, squares)


def test_a_full_disk_leaves_the_best_checkpoint(squares, tmp_path):
    """No file may grow beyond 1,000 bytes once the first checkpoint is there, as if the disk were full."""
    output_dir = tmp_path / "out"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen = []

    def told(validation):
        seen.append(validation.step)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))

    config = ClassifierTrainConfig(
        dataset=DatasetConfig("me/squares", root=str(squares)),
        output_dir=output_dir,
        reward_model=RewardClassifierConfig(learning_rate=1e-3, hidden_dim=32, latent_dim=32, device="cpu"),
        image_preprocessing=ImagePreprocessingConfig(None, (128, 128)),
        make_encoder=True,
        steps=400,
        batch_size=8,
        eval_steps=2,
        patience=100,
        seed=3,
    )
    try:
        with pytest.raises(DataError, match=r"the checkpoint of step .* cannot be written") as raised:
            train_classifier(config, on_validation=told)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.problems[0].code == "cannot-write"
    assert (output_dir / "checkpoints/last").resolve().name == f"{seen[0]:06d}"
    assert json.loads((output_dir / "checkpoints/last/pretrained_model/grasp_classifier.json").read_text())
    assert [path.name for path in sorted((output_dir / "checkpoints").iterdir())] == [
        f"{seen[0]:06d}",
        "last",
    ]
    assert is_usable(output_dir, squares)

"""The commands' side: exit codes, and the config file by LeRobot's own class."""

from __future__ import annotations

import sys

import draccus
import pytest
from lerobot.configs.train import TrainPipelineConfig
from lerobot.rewards.classifier import RewardClassifierConfig

from lerobot_grasp_plugin.commands import eval_classifier, train_classifier
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierTrainConfig
from tests.support.project import CONFIGS

CONFIG = CONFIGS / "reward_classifier_train_config.json"


@pytest.mark.parametrize("config_class", [TrainPipelineConfig, ClassifierTrainConfig])
def test_lerobot_train_and_this_command_read_the_same_file(config_class):
    config = draccus.parse(config_class, CONFIG, args=[])
    assert isinstance(config.reward_model, RewardClassifierConfig)
    assert (config.steps, config.batch_size, config.seed) == (400, 32, 1000)
    if config_class is ClassifierTrainConfig:
        assert config.classifier() is config.reward_model


@pytest.mark.parametrize("command", [train_classifier, eval_classifier])
def test_a_call_that_is_wrong_ends_with_2(command, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--no_such_flag=1"])
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_folder_that_is_no_checkpoint(tmp_path, capsys):
    inner = tmp_path / "checkpoints/last/pretrained_model"
    inner.mkdir(parents=True)
    code = eval_classifier.main(
        [f"--pretrained_path={tmp_path}", "--dataset.repo_id=me/x", f"--dataset.root={tmp_path}"]
    )
    assert code == 2
    said = capsys.readouterr().err
    assert "no-checkpoint" in said
    assert f"model.safetensors: {inner}\n" in said


@pytest.mark.parametrize(
    ("root", "said"),
    [
        (["--dataset.root={tmp_path}/none"], "none: error: the folder does not exist"),
        (["--dataset.root={tmp_path}"], "choose one: --dataset.root {tmp_path}/me/y"),
        ([], "give --dataset.root for a dataset in another folder"),
    ],
)
def test_a_dataset_that_is_not_there(root, said, tmp_path, lerobot_home, capsys):
    (tmp_path / "me/y/meta").mkdir(parents=True)
    (tmp_path / "me/y/meta/info.json").touch()
    given = [flag.format(tmp_path=tmp_path) for flag in root]
    code = train_classifier.main(["--dataset.repo_id=me/x", *given, f"--output_dir={tmp_path}/out"])
    assert code == 2
    err = capsys.readouterr().err
    assert "[no-dataset]" in err
    assert said.format(tmp_path=tmp_path) in err


@pytest.mark.parametrize("command", [train_classifier, eval_classifier])
def test_without_the_learn_extra(command, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(SystemExit) as ended:
        command.main(["--dataset.repo_id=me/x"])
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()
    expected = (
        f"{command.PROGRAM}: error: transformers cannot be imported; install lerobot_grasp_plugin[learn]"
    )
    assert said[0] == expected


def test_a_setting_of_the_model_needs_no_type(tmp_path, capsys):
    code = train_classifier.main(
        [
            "--dataset.repo_id=me/x",
            f"--dataset.root={tmp_path}",
            "--reward_model.device=cpu",
            "--reward_model.hidden_dim=64",
            f"--output_dir={tmp_path}/out",
        ]
    )
    assert code == 2
    assert "no-dataset" in capsys.readouterr().err  # it was understood; only the dataset is missing

from pathlib import Path

import pytest

pytest.importorskip("lerobot.rl")

from lerobot_grasp_plugin.findings.problem import DataError, UsageError
from lerobot_grasp_plugin.sim.checkpoints import checkpoints_of
from lerobot_grasp_plugin.sim.evaluation import (
    CheckpointResult,
    EpisodeResult,
    best_of,
    results_table,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "number", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 20, 0.0, 0.161),
        (20, 20, 0.839, 1.0),
        (14, 20, 0.481, 0.855),
        (45, 50, 0.786, 0.957),
    ],
)
def test_wilsons_interval_has_the_published_values(successes, number, low, high):
    assert wilson(successes, number) == pytest.approx((low, high), abs=1e-3)


def result(name, held, lifted, number=4):
    episodes = [
        EpisodeResult(one, 10, one < held, one < lifted, rewarded=one < held, false_rewards=int(one == 0))
        for one in range(number)
    ]
    return CheckpointResult(name, Path(name), episodes)


def test_the_best_checkpoint_need_not_be_the_last():
    results = [result("000500", 2, 1), result("001000", 4, 3), result("001500", 0, 0)]
    assert best_of(results).name == "001000"
    lines = list(results_table(results))
    assert len(lines) == 4
    assert lines[2].endswith("best")
    assert "4/4" in lines[2]
    assert "3/4" in lines[2]
    assert [line.split()[-1] for line in (lines[0], lines[1])] == ["false", "1/2"]


def test_checkpoints_are_found_from_every_folder_of_a_run(tmp_path):
    for name in ("000500", "001000"):
        folder = tmp_path / "checkpoints" / name / "pretrained_model"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").touch()
    (tmp_path / "checkpoints/last").symlink_to("001000")
    (tmp_path / "checkpoints/001500").mkdir()
    names = ["000500", "001000"]
    assert [path.parent.name for path in checkpoints_of(tmp_path)] == names
    assert [path.parent.name for path in checkpoints_of(tmp_path / "checkpoints")] == names
    one = tmp_path / "checkpoints/000500"
    assert checkpoints_of(one) == checkpoints_of(one / "pretrained_model") == [one / "pretrained_model"]
    with pytest.raises(UsageError, match=r"has no checkpoint of a policy .*no-checkpoint"):
        checkpoints_of(tmp_path / "checkpoints/001500")
    with pytest.raises(UsageError, match=r"the folder does not exist .*no-checkpoint"):
        checkpoints_of(tmp_path / "nowhere")


def test_a_classifier_that_is_not_there_is_named_before_anything_starts(tmp_path):
    from types import SimpleNamespace

    from lerobot_grasp_plugin.sim.results import use_classifier

    def config(classifier=None):
        return SimpleNamespace(env=SimpleNamespace(processor=SimpleNamespace(reward_classifier=classifier)))

    without = config()
    use_classifier(without, None)
    assert without.env.processor.reward_classifier is None
    with pytest.raises(DataError, match="classifier-missing"):
        use_classifier(config(), tmp_path / "none")
    (tmp_path / "model.safetensors").touch()
    chosen = config()
    use_classifier(chosen, tmp_path)
    assert chosen.env.processor.reward_classifier.pretrained_path == str(tmp_path)
    with pytest.raises(DataError, match="classifier-missing"):
        use_classifier(config(SimpleNamespace(pretrained_path="moved/away")), None)


def test_checkpoints_are_in_the_order_of_their_steps_also_past_a_million(tmp_path):
    for name in ("1000000", "999500"):
        folder = tmp_path / "checkpoints" / name / "pretrained_model"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").touch()
    assert [path.parent.name for path in checkpoints_of(tmp_path)] == ["999500", "1000000"]

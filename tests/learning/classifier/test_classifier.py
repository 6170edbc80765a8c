"""Training and evaluation of LeRobot's reward classifier, and the same numbers in its environment."""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.configs.default import DatasetConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.envs.configs import ImagePreprocessingConfig
from lerobot.processor import (
    ImageCropResizeProcessorStep,
    RewardClassifierProcessorStep,
    TransitionKey,
    VanillaObservationProcessorStep,
)
from lerobot.rewards.classifier import Classifier, RewardClassifierConfig

from lerobot_grasp_plugin.commands import train_classifier as train_classifier_command
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import GraspError, UsageError
from lerobot_grasp_plugin.labelers.proposing import propose
from lerobot_grasp_plugin.learning.classifier import review as classifier_review
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierEvalConfig, ClassifierTrainConfig
from lerobot_grasp_plugin.learning.classifier.fit import Frames, Run
from lerobot_grasp_plugin.learning.classifier.labeler import ClassifierLabelerConfig
from lerobot_grasp_plugin.learning.classifier.model import (
    configured,
    encode,
    load_classifier,
    logits,
    make_classifier,
)
from lerobot_grasp_plugin.learning.classifier.review import eval_classifier
from lerobot_grasp_plugin.learning.classifier.small_encoder import make_small_encoder
from lerobot_grasp_plugin.learning.classifier.training import train_classifier
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from tests.support import classifier_scenes as scenes
from tests.support.file_schemas import read

CROP = ImagePreprocessingConfig({scenes.CAMERA: scenes.CROP}, (128, 128))


def settings(root: Path, output_dir: Path, **changes) -> ClassifierTrainConfig:
    given = {
        "dataset": DatasetConfig("me/squares", root=str(root)),
        "output_dir": output_dir,
        "reward_model": RewardClassifierConfig(learning_rate=1e-3, hidden_dim=32, latent_dim=32),
        "steps": 24,
        "batch_size": 16,
        "eval_steps": 8,
        "seed": 3,
    }
    return ClassifierTrainConfig(**given | changes)


@pytest.fixture(scope="module")
def trained(squares, tmp_path_factory):
    """Output folder of a run that made its own encoder; only to be read."""
    output_dir = tmp_path_factory.mktemp("trained") / "classifier"
    train_classifier(settings(squares, output_dir, make_encoder=True, image_preprocessing=CROP, steps=40))
    return output_dir


def environment(pretrained_path: Path, threshold: float = 0.5):
    """LeRobot's own steps between a camera and a reward."""
    prepare = (
        VanillaObservationProcessorStep(),
        ImageCropResizeProcessorStep({scenes.CAMERA: scenes.CROP}, (128, 128)),
    )
    step = RewardClassifierProcessorStep(str(pretrained_path), success_threshold=threshold)

    def show(pixels):
        observation = {"pixels": {scenes.CAMERA.removeprefix("observation.images."): pixels}}
        transition = {
            TransitionKey.OBSERVATION: observation,
            TransitionKey.REWARD: 0.0,
            TransitionKey.INFO: {},
        }
        for stage in prepare:
            transition = stage(transition)
        after = step(transition)
        images = [transition[TransitionKey.OBSERVATION][scenes.CAMERA]]
        with torch.inference_mode():
            probability = step.reward_classifier.predict(images).probabilities.item()
        return probability, after[TransitionKey.REWARD]

    return show


def test_it_separates_episodes_it_was_not_trained_on(trained):
    report = read(trained / "report.json", "classifier_report")
    validation = report["validation"]
    assert validation["all"]["auc"] >= 0.97
    parts = report["splits"]["parts"]
    assert sorted(parts["train"] + parts["val"]) == list(range(scenes.EPISODES))
    assert [entry["episode_index"] for entry in validation["episodes"]] == parts["val"]
    for entry in validation["episodes"]:
        assert entry["label"] == scenes.is_success(entry["episode_index"]).astype(int).tolist()
    assert set(validation["sources"]) == {"me/squares"}
    assert "no pretrained weights" in report["encoder"]
    best = min(report["history"], key=lambda item: item["val_loss"])
    assert best["step"] == report["best_step"]
    for name in ("validation_curves.png", "worst_frames.png"):
        assert (trained / name).stat().st_size > 1000


def test_the_command_says_what_it_will_do_and_how_long_it_takes(squares, tmp_path, capfd):
    """The plan is said before an image is read; each validation says the time left."""
    output_dir = tmp_path / "out"
    code = train_classifier_command.main(
        [
            *("--dataset.repo_id=me/squares", f"--dataset.root={squares}", f"--output_dir={output_dir}"),
            *("--make_encoder=true", "--reward_model.device=cpu", "--seed=3", "--val_episodes=[1, 4]"),
            *("--steps=4", "--eval_steps=2", "--log_freq=2", "--batch_size=8"),
        ]
    )
    out, err = capfd.readouterr()
    assert code == 0
    lines = out.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("step "))
    assert lines[0] == f"=== Reward classifier of me/squares: {squares} ==="
    assert "Training on 4 episodes, 64 frames, 35 of them success (54.7 %): 0, 2, 3, 5" in lines[:first]
    validating = "Validating on 2 episodes, 32 frames, 15 of them success (46.9 %): 1, 4; from --val_episodes"
    assert any(line.startswith(validating) for line in lines[:first])
    assert lines[first - 2].startswith(
        "At most 4 steps of 8 frames on cpu, validated every 2; stops after 6 "
    )
    kept = "with the best checkpoint so far in checkpoints/last/pretrained_model"
    assert lines[first - 1] == f"Output: {output_dir}, {kept}"
    assert re.fullmatch(r"step 2: loss .*, AUC .*, \d+ s, at most \d+ s left  lowest", lines[first])
    assert "left" not in lines[first + 1]
    assert "Writing model shards" not in err


@pytest.mark.parametrize(("prefix", "kept"), [("", []), ("['a.b', ", ["Unexpected key(s)"])])
def test_counters_that_cameras_share_are_no_warning(trained, prefix, kept, monkeypatch, caplog):
    """The weights are all there; any other key is still told."""
    warning = logging.warning
    monkeypatch.setattr(logging, "warning", lambda text: warning(text.replace("[", prefix or "[")))
    load_classifier(trained / "checkpoints/last/pretrained_model")
    assert [message[:17] for message in caplog.messages if "key(s)" in message] == kept


def test_lerobots_environment_computes_the_same_probabilities(trained, squares):
    report = json.loads((trained / "report.json").read_text())
    pretrained_path = trained / "checkpoints/last/pretrained_model"
    threshold = report["validation"]["suggested_threshold"]
    show = environment(pretrained_path, threshold)
    stored = GraspDataset("me/squares", squares, preprocessing=None, return_uint8=True, video_backend="pyav")
    for entry in report["validation"]["episodes"]:
        for frame, expected in enumerate(entry["probability"]):
            item = stored[entry["episode_index"] * scenes.LENGTH + frame]
            probability, reward = show(item[scenes.CAMERA].permute(1, 2, 0).numpy())
            assert probability == pytest.approx(expected, abs=1e-5)
            if abs(expected - threshold) > 1e-5:
                assert reward == float(expected > threshold)


def test_the_checkpoint_is_laid_out_as_lerobots(trained):
    report = json.loads((trained / "report.json").read_text())
    last = trained / "checkpoints/last"
    assert last.is_symlink()
    assert last.resolve().name == f"{report['best_step']:06d}"
    folder = last / "pretrained_model"
    assert Path(report["pretrained_path"]) == folder.resolve()
    config = TrainPipelineConfig.from_pretrained(folder)
    assert config.reward_model.num_cameras == 1
    assert config.reward_model.normalization_mapping["VISUAL"].value == "IDENTITY"
    assert config.reward_model.input_features[scenes.CAMERA].shape == (3, 128, 128)
    record = read(folder / "grasp_classifier.json")
    assert record["image_preprocessing"]["crop_params_dict"] == {scenes.CAMERA: list(scenes.CROP)}
    assert record["success_threshold"] == report["validation"]["suggested_threshold"]


def test_evaluation_and_labeler_repeat_the_figures(trained, squares, tmp_path):
    report = json.loads((trained / "report.json").read_text())
    moved = tmp_path / "moved"
    (trained / "checkpoints/last").resolve().joinpath("pretrained_model").rename  # noqa: B018
    import shutil

    shutil.copytree(trained / "checkpoints/last/pretrained_model", moved)
    config = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps(config | {"model_name": "/nowhere/any/more"}))
    found = eval_classifier(
        ClassifierEvalConfig(
            pretrained_path=moved,
            dataset=DatasetConfig("me/squares", root=str(squares)),
            output_dir=tmp_path / "evaluation",
        )
    )
    again = {item.episode_index: item.probability for item in found.evaluation.episodes}
    assert sorted(again) == list(range(scenes.EPISODES))
    for entry in report["validation"]["episodes"]:
        assert again[entry["episode_index"]] == pytest.approx(np.array(entry["probability"]), abs=1e-5)
    assert list(found.trained_on) == report["splits"]["parts"]["train"]
    (source,) = open_sources([SourceConfig(root=squares)], [])
    proposals = propose(ClassifierLabelerConfig(pretrained_path=moved), source)
    for item in found.disagreements:
        proposal = proposals[item.episode_index]
        assert proposal.curve == pytest.approx(again[item.episode_index], abs=1e-5)
        assert proposal.success == item.second
        assert item.first == IntervalSet.from_mask(scenes.is_success(item.episode_index))
        assert proposal.confidence == pytest.approx(np.maximum(proposal.curve, 1 - proposal.curve).mean())
    assert read(tmp_path / "evaluation/report.json", "classifier_report")["encoder"] == report["encoder"]


def test_episodes_are_known_again_in_another_dataset(tmp_path):
    hashes = {0: "a", 1: "b", 2: "c"}
    meta = tmp_path / "meta"
    meta.mkdir()
    rows = [{"episode_index": index, "content_sha256": digest} for index, digest in hashes.items()]
    (meta / "grasp_provenance.json").write_text(json.dumps({"episodes": rows}))
    record = {"train_content_sha256": ["c", "x", "a"]}
    assert classifier_review._trained_on(record, tmp_path, [0, 1, 2]) == [0, 2]
    assert classifier_review._trained_on({}, tmp_path, [0, 1, 2]) == []


def test_a_frozen_encoder_stays_as_it_is(squares, tmp_path):
    torch.manual_seed(0)
    encoder = tmp_path / "encoder"
    make_small_encoder(encoder)
    model = RewardClassifierConfig(learning_rate=3e-3, model_name=str(encoder), hidden_dim=32, latent_dim=32)
    told = []
    config = settings(
        squares, tmp_path / "out", reward_model=model, val_episodes="1, 4", image_preprocessing=CROP
    )
    report = train_classifier(config, on_validation=told.append)
    assert report.splits.parts == {"train": (0, 2, 3, 5), "val": (1, 4)}
    assert "frozen" in report.encoder
    assert str(encoder) in report.encoder
    assert [item.step for item in told] == [8, 16, 24]
    after = Classifier.from_pretrained(report.pretrained_path)
    fresh = make_classifier(configured(model, {scenes.CAMERA: (3, 128, 128)}))
    for (name, value), (_, before) in zip(
        after.encoder.state_dict().items(), fresh.encoder.state_dict().items(), strict=True
    ):
        assert torch.equal(value, before), name  # running means of its normalisation, too
    kernel = next(iter(after.encoders.values()))[1].kernel
    assert kernel.requires_grad
    assert report.evaluation.area_under_curve is not None


def test_what_learns_is_what_lerobot_predicts_with(tmp_path):
    torch.manual_seed(0)
    make_small_encoder(tmp_path)
    shapes = {"observation.images.a": (3, 128, 128), "observation.images.b": (3, 128, 128)}
    model = make_classifier(configured(RewardClassifierConfig(model_name=str(tmp_path)), shapes))
    tensors = {camera: torch.rand(3, *shape) for camera, shape in shapes.items()}
    encoded = {camera: encode(model, camera, image) for camera, image in tensors.items()}
    found = logits(model, encoded)
    with torch.no_grad():
        expected = model.predict(list(tensors.values())).logits
    torch.testing.assert_close(found.detach(), expected)
    found.sum().backward()
    assert all(encoder[1].kernel.grad is not None for encoder in model.encoders.values())


def test_what_is_validated_are_averaged_weights(tmp_path):
    torch.manual_seed(0)
    make_small_encoder(tmp_path)
    shapes = {scenes.CAMERA: (3, 128, 128)}
    model = make_classifier(configured(RewardClassifierConfig(model_name=str(tmp_path)), shapes))
    config = settings(tmp_path, tmp_path / "out", make_encoder=True, steps=8, batch_size=4)
    run = Run(model, torch.ones(2), config)
    frames = Frames(
        {scenes.CAMERA: torch.randint(0, 256, (4, 3, 128, 128), dtype=torch.uint8)},
        torch.tensor([0.0, 1.0, 0.0, 1.0]),
    )
    seen = [weights(model)]
    for _ in range(4):
        run.step(frames, torch.arange(4))
        seen.append(weights(model))
    with run.averaged():
        averaged = weights(model)
    assert all(torch.equal(value, seen[-1][name]) for name, value in weights(model).items())
    for name, value in averaged.items():
        history = torch.stack([step[name].float() for step in seen])
        low, high = history.amin(0), history.amax(0)
        room = 1e-6 + 1e-4 * (high - low)
        assert bool(((value >= low - room) & (value <= high + room)).all()), name
    assert any(not torch.equal(value, seen[-1][name]) for name, value in averaged.items())


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"val_episodes": "0-5"}, "empty-split"),
        ({"val_episodes": "9"}, "unknown-episode"),
        ({"reward_model": RewardClassifierConfig(model_name="/no/such/encoder")}, "encoder-missing"),
        (
            {"make_encoder": True, "image_preprocessing": ImagePreprocessingConfig(None, (96, 96))},
            "wrong-map",
        ),
        ({"make_encoder": True, "reward_model": RewardClassifierConfig(num_classes=3)}, "unsupported-option"),
        ({"steps": 0}, "bad-value"),
        ({"unlisted": "fail"}, "no-effect"),
        ({"dataset": DatasetConfig("me/squares", root="/no/such/folder")}, "no-dataset"),
    ],
)
def test_what_cannot_be_is_refused(squares, tmp_path, changes, code):
    output_dir = tmp_path / "out"
    with pytest.raises(GraspError) as error:
        train_classifier(settings(squares, output_dir, **changes))
    assert error.value.problems[0].code == code
    assert not output_dir.exists()


def test_a_dataset_without_labels_is_named(recorded, tmp_path):
    root = recorded("unlabelled")
    with pytest.raises(GraspError, match="no-labels") as error:
        train_classifier(settings(root, tmp_path / "out", make_encoder=True))
    assert error.value.problems[0].place.path == str(root)


def test_nothing_is_overwritten(squares, tmp_path):
    with pytest.raises(UsageError, match="target-exists"):
        train_classifier(settings(squares, tmp_path, make_encoder=True))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"type": "reward_classifier"', '"type": "gaussian_actor"', "type 'gaussian_actor', not a reward_"),
        ('"type": "reward_classifier"', '"kind": 1', "a checkpoint without a type, not a reward_classifier"),
        ('"num_classes": 2', '"num_classes": 3', "it has 3 classes"),
        ('"num_cameras": 1', '"num_cameras": 2', "size mismatch for classifier_head.0.weight"),
        ("images.wrist", "images.top", "has no encoders.observation_images_top.1.kernel"),
        ("{", "", "config.json: error"),
    ],
)
def test_what_is_no_such_classifier_is_said_in_one_line(trained, tmp_path, old, new, said):
    folder = shutil.copytree(trained / "checkpoints/last/pretrained_model", tmp_path / "model")
    raw = (folder / "config.json").read_text()
    assert old in raw
    (folder / "config.json").write_text(raw.replace(old, new))
    with pytest.raises(GraspError) as raised:
        load_classifier(folder)
    assert said in str(raised.value)
    (problem,) = raised.value.problems
    assert "\n" not in problem.message


def test_choosing_no_episode_is_a_wrong_call(squares, trained):
    config = ClassifierEvalConfig(
        pretrained_path=trained / "checkpoints/last/pretrained_model",
        dataset=DatasetConfig("me/squares", root=str(squares), episodes=[]),
    )
    with pytest.raises(UsageError, match="no episodes are chosen"):
        eval_classifier(config)

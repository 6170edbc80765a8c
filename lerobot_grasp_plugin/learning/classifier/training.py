"""Trains LeRobot's reward classifier on the episodes of a labelled dataset."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from lerobot.rewards.classifier import Classifier, RewardClassifierConfig
from lerobot.utils.random_utils import set_seed

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.dataset.learning import has_sidecar
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem, UsageError
from lerobot_grasp_plugin.learning.classifier.cameras import check_cameras, check_shapes, stored_shape
from lerobot_grasp_plugin.learning.classifier.checkpoint import BestCheckpoint, move_files, write_record
from lerobot_grasp_plugin.learning.classifier.configs import VAL_SHARE, ClassifierTrainConfig
from lerobot_grasp_plugin.learning.classifier.curves import contact_sheet, plot_episodes
from lerobot_grasp_plugin.learning.classifier.data import (
    ClassifierData,
    LabelledEpisode,
    color_cameras,
    content_hashes,
    label_warnings,
    open_data,
    open_metadata,
)
from lerobot_grasp_plugin.learning.classifier.evaluation import Evaluation, evaluate
from lerobot_grasp_plugin.learning.classifier.fit import Validation, fit
from lerobot_grasp_plugin.learning.classifier.model import configured, make_classifier
from lerobot_grasp_plugin.learning.classifier.options import refuse_existing_run
from lerobot_grasp_plugin.learning.classifier.small_encoder import STAGES, make_small_encoder
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.quiet import hide_progress_bars
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, read_learning, write_learning
from lerobot_grasp_plugin.learning.data.splits import EpisodeSplits, class_weights, split_episodes
from lerobot_grasp_plugin.version import VERSION
from lerobot_grasp_plugin.writers.staging import claimed

DEFAULT_SIZE = (128, 128)
LEROBOT_THRESHOLD = 0.5  # success_threshold of LeRobot's env.processor.reward_classifier


@dataclass(frozen=True)
class TrainingPlan:
    """The plan of a run.

    Attributes:
        root: Folder of the dataset.
        encoder: Description of the encoder.
        preprocessing: Of the images.
        train: Episodes to learn from.
        val: Episodes to validate on.
        splits_from: Source of the split, as text.
        config: All settings.
        device: The device.
        output_dir: The output folder.
    """

    root: Path
    encoder: str
    preprocessing: ImagePreprocessing
    train: Sequence[LabelledEpisode]
    val: Sequence[LabelledEpisode]
    splits_from: str
    config: ClassifierTrainConfig
    device: str
    output_dir: Path


type OnPlan = Callable[[TrainingPlan], None]
type OnValidation = Callable[[Validation], None]


@dataclass(frozen=True)
class TrainingReport:
    """The report of a run.

    Attributes:
        output_dir: Its folder.
        pretrained_path: The best checkpoint, for ``env.processor.reward_classifier.pretrained_path``.
        encoder: Description of the encoder.
        preprocessing: Of the images.
        splits: Episodes that trained (``train``) and that validated (``val``).
        splits_from: Source of the splits, as text.
        history: Every validation.
        best_step: The step of the checkpoint.
        steps: Steps done.
        evaluation: Of the checkpoint on the validation episodes.
        suggested_threshold: For ``success_threshold``; None when the validation has one class only.
        seconds: Its duration.
        warnings: The warnings.
    """

    output_dir: Path
    pretrained_path: Path
    encoder: str
    preprocessing: ImagePreprocessing
    splits: EpisodeSplits
    splits_from: str
    history: Sequence[Validation]
    best_step: int
    steps: int
    evaluation: Evaluation
    suggested_threshold: float | None
    seconds: float
    warnings: Sequence[Problem]

    def to_json(self) -> dict[str, Any]:
        """Everything, for ``report.json``."""
        return {
            "tool": {"name": "lerobot_grasp_plugin", "version": VERSION},
            "pretrained_path": str(self.pretrained_path),
            "encoder": self.encoder,
            "image_preprocessing": self.preprocessing.to_json(),
            "splits": {**self.splits.to_json(), "from": self.splits_from},
            "history": [
                {name: value for name, value in asdict(item).items() if name != "left_s"}
                for item in self.history
            ],
            "best_step": self.best_step,
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
            "warnings": [str(problem) for problem in self.warnings],
            "validation": self.evaluation.to_json(LEROBOT_THRESHOLD),
        }


def train_classifier(
    config: ClassifierTrainConfig,
    progress: Progress = silent,
    on_validation: OnValidation = lambda _: None,
    on_plan: OnPlan = lambda _: None,
) -> TrainingReport:
    """Trains, keeps the step with the lowest validation loss, and evaluates it.

    The best checkpoint so far is always complete in the output folder:
    ``checkpoints/<step>/pretrained_model`` as LeRobot lays it out, and ``checkpoints/last``. At the end
    ``report.json``, ``validation_curves.png`` and ``worst_frames.png`` are added. Preprocessing and splits
    are stored with a dataset that this package made, where nothing is stored yet.

    Args:
        config: All settings.
        progress: Called with the progress.
        on_validation: Called after each validation.
        on_plan: Called before the first image is decoded.

    Raises:
        GraspError: With all errors of the settings, the labels and the dataset.
    """
    started = time.monotonic()
    problems = Gathered()
    with problems:
        model_config = config.classifier()
    with problems:
        label_options = config.dataset_options()
    with problems:
        output_dir = _output_dir(config)
    with problems:
        meta = open_metadata(config.dataset)
    problems.raise_all()
    root = Path(meta.root)
    stored = read_learning(root) or LearningSidecar()
    preprocessing = choose_preprocessing(config, model_config, stored.preprocessing, root)
    cameras = list(model_config.input_features) or color_cameras(meta)
    check_cameras(cameras, color_cameras(meta), root)
    data = open_data(config.dataset, meta, preprocessing, label_options, config.dataset.episodes)
    shapes = {camera: stored_shape(data.dataset.meta.features[camera]) for camera in cameras}
    check_shapes(model_config, shapes)
    splits, splits_from = choose_splits(config, stored.splits, data)
    train, val = data.part(splits.part("train")), data.part(splits.part("val"))
    weights = class_weights(torch.cat([torch.from_numpy(_label(episode, root)) for episode in train]))
    set_seed(config.seed)
    hide_progress_bars()
    with tempfile.TemporaryDirectory(prefix="grasp-encoder-") as folder:
        if config.make_encoder:
            make_small_encoder(Path(folder))
            model_config = replace(model_config, model_name=folder)
        model = make_classifier(configured(model_config, shapes))
    encoder = _encoder_in_words(model, config.make_encoder, model_config, len(train))
    device = str(model.config.device)
    on_plan(TrainingPlan(root, encoder, preprocessing, train, val, splits_from, config, device, output_dir))
    best = BestCheckpoint(output_dir, config, root)
    record = _record(config, root, preprocessing, splits, encoder)

    def keep(validation: Validation) -> None:
        best.keep(validation.step, model, record | {"validation_auc": validation.val_auc})

    result = fit(model, data, train, val, weights, config, progress, on_validation, keep)
    evaluation = evaluate(model, data, val, progress)
    report = TrainingReport(
        output_dir=output_dir,
        pretrained_path=best.path,
        encoder=encoder,
        preprocessing=preprocessing,
        splits=splits,
        splits_from=splits_from,
        history=result.history,
        best_step=result.best_step,
        steps=result.steps,
        evaluation=evaluation,
        suggested_threshold=evaluation.suggested_threshold,
        seconds=time.monotonic() - started,
        warnings=label_warnings(root, bool(label_options)),
    )
    figures = {
        "success_threshold": report.suggested_threshold,
        "validation_auc": evaluation.area_under_curve,
    }
    best.complete(record | figures)
    with claimed(output_dir / "results") as staging:
        write_record(staging / "report.json", report.to_json())
        threshold = report.suggested_threshold or LEROBOT_THRESHOLD
        plot_episodes(evaluation.episodes, threshold).save(staging / "validation_curves.png")
        contact_sheet(evaluation.worst).save(staging / "worst_frames.png")
        move_files(staging, output_dir)
    if has_sidecar(root):
        write_learning(root, LearningSidecar(stored.preprocessing or preprocessing, stored.splits or splits))
    return report


def choose_preprocessing(
    config: ClassifierTrainConfig,
    model: RewardClassifierConfig,
    stored: ImagePreprocessing | None,
    root: Path,
) -> ImagePreprocessing:
    """The requested preprocessing, else the one stored with the dataset, else only a resize.

    Raises:
        UsageError: The requested one differs from the stored one.
    """
    asked = None
    if config.image_preprocessing is not None:
        asked = ImagePreprocessing.from_env(config.image_preprocessing)
    if asked is not None and stored is not None and asked != stored:
        message = f"image_preprocessing is {asked.to_env()}, but {stored.to_env()} is stored with the dataset"
        hint = "remove it; all training from this dataset should use the same images"
        raise UsageError(Problem("other-preprocessing", message, root, hint))
    if asked is not None or stored is not None:
        chosen = asked or stored
        assert chosen is not None
        return chosen
    sizes = {tuple(feature.shape[1:]) for feature in model.input_features.values()}
    if len(sizes) > 1:
        message = f"the cameras of reward_model.input_features have different sizes: {sorted(sizes)}"
        raise UsageError(Problem("several-sizes", message, hint="LeRobot resizes all of them to one"))
    height, width = sizes.pop() if sizes else DEFAULT_SIZE
    return ImagePreprocessing({}, (height, width))


def choose_splits(
    config: ClassifierTrainConfig, stored: EpisodeSplits | None, data: ClassifierData
) -> tuple[EpisodeSplits, str]:
    """The training and the validation episodes, and the source of the split.

    Raises:
        GraspError: One split is empty, or a validation episode is not in the data.
    """
    chosen = [episode.episode_index for episode in data.episodes]
    seed = 0 if config.seed is None else config.seed
    if config.val_episodes is not None:
        total = data.dataset.meta.total_episodes
        val = set(select_episodes(config.val_episodes, total, name="val_episodes"))
        origin = "from --val_episodes"
    elif stored is not None and not config.dataset.eval_split and {"train", "val"} <= set(stored.parts):
        val = set(stored.part("val"))
        chosen = [index for index in chosen if index in {*stored.part("train"), *val}]
        seed, origin = stored.seed, "stored with the dataset"
    else:
        share = config.dataset.eval_split or VAL_SHARE
        sources = [episode.source for episode in data.episodes]
        outcomes = [bool(_label(episode, Path(data.dataset.root)).any()) for episode in data.episodes]
        drawn = split_episodes(sources, outcomes, fractions={"train": 1 - share, "val": share}, seed=seed)
        val = {chosen[position] for position in drawn.part("val")}
        origin = f"drawn with seed {seed}, {share:.0%} of each source and outcome"
    parts = {
        "train": tuple(index for index in chosen if index not in val),
        "val": tuple(index for index in chosen if index in val),
    }
    empty = [name for name, episodes in parts.items() if not episodes]
    if empty:
        message = f"none of {len(chosen)} episodes is left for {' and '.join(empty)}"
        hint = "give --val_episodes or another --dataset.eval_split; both splits need whole episodes"
        raise UsageError(Problem("empty-split", message, hint=hint))
    return EpisodeSplits(seed, parts), origin


def _output_dir(config: ClassifierTrainConfig) -> Path:
    name = config.job_name or "reward_classifier"
    default = Path("outputs/train") / f"{datetime.now():%Y-%m-%d/%H-%M-%S}_{name}"
    output_dir = Path(config.output_dir or default).expanduser()
    refuse_existing_run(output_dir)
    return output_dir


def _label(episode: LabelledEpisode, root: Path) -> Any:
    if episode.label is None:
        message = "success frames are unknown: the dataset has neither next.success nor a next.reward "
        message += "of two values"
        hint = "label it with lerobot-grasp-relabel, or give --annotations"
        raise DatasetError(Problem("no-labels", message, root, hint))
    return episode.label


def _encoder_in_words(
    model: Classifier, made_here: bool, config: RewardClassifierConfig, train_episodes: int
) -> str:
    size = f"{sum(parameter.numel() for parameter in model.encoder.parameters()):,} parameters"
    if made_here:
        stages = "-".join(map(str, STAGES))
        return (
            f"a small ResNet made for this run (stages {stages}, {size}): no pretrained weights; trained "
            f"from random ones, with the head, on the {train_episodes} training episodes"
        )
    kind = type(model.encoder).__name__
    return f"{config.model_name} ({kind}, {size}), frozen, with the weights found there"


def _record(
    config: ClassifierTrainConfig,
    root: Path,
    preprocessing: ImagePreprocessing,
    splits: EpisodeSplits,
    encoder: str,
) -> dict[str, Any]:
    """A checkpoint's record, in addition to LeRobot's files; the figures follow after the training."""
    hashes = content_hashes(root)
    return {
        "format": 1,
        "tool": {"name": "lerobot_grasp_plugin", "version": VERSION},
        "image_preprocessing": preprocessing.to_json(),
        "success_threshold": None,
        "encoder": encoder,
        "dataset": {"repo_id": config.dataset.repo_id, "root": str(root)},
        "splits": splits.to_json(),
        "train_content_sha256": [hashes[index] for index in splits.parts["train"] if index in hashes],
        "validation_auc": None,
    }

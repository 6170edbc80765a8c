"""Compares a trained reward classifier with the labels of a dataset: figures, images, disagreements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.agreement import Agreement
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierEvalConfig
from lerobot_grasp_plugin.learning.classifier.curves import contact_sheet, plot_episodes
from lerobot_grasp_plugin.learning.classifier.data import (
    color_cameras,
    content_hashes,
    label_warnings,
    open_data,
    open_metadata,
)
from lerobot_grasp_plugin.learning.classifier.evaluation import Evaluation, evaluate
from lerobot_grasp_plugin.learning.classifier.labeler import ClassifierLabelerConfig
from lerobot_grasp_plugin.learning.classifier.model import load_classifier, read_record, record_preprocessing
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import read_learning
from lerobot_grasp_plugin.writers.staging import staged


@dataclass(frozen=True)
class EvaluationReport:
    """The report of an evaluation.

    Attributes:
        evaluation: Results and figures.
        threshold: For the figures.
        preprocessing: Of the images.
        encoder: Description of the encoder; None if unknown.
        trained_on: Episodes of this dataset that the checkpoint was trained on, as far as known.
        disagreements: The labels (first) and what the labeler ``classifier`` would propose at the threshold
            (second) of each episode; empty without labels.
        output_dir: Folder of report and images; None if not requested.
        warnings: The warnings.
    """

    evaluation: Evaluation
    threshold: float
    preprocessing: ImagePreprocessing
    encoder: str | None
    trained_on: Sequence[int]
    disagreements: Sequence[Agreement]
    output_dir: Path | None
    warnings: Sequence[Problem]

    def to_json(self) -> dict[str, Any]:
        """Everything, for ``report.json``."""
        return {
            "encoder": self.encoder,
            "image_preprocessing": self.preprocessing.to_json(),
            "trained_on": list(self.trained_on),
            "warnings": [str(problem) for problem in self.warnings],
            "disagreements": {
                str(item.episode_index): item.differing for item in self.disagreements if item.differing
            },
            "evaluation": self.evaluation.to_json(self.threshold),
        }


def eval_classifier(config: ClassifierEvalConfig, progress: Progress = silent) -> EvaluationReport:
    """Evaluates a checkpoint; writes files only if requested.

    Args:
        config: All settings.
        progress: Called with the progress.

    Raises:
        GraspError: With all errors of the settings, the checkpoint and the dataset.
    """
    folder = config.pretrained_path.expanduser()
    problems = Gathered()
    with problems:
        config.check()
    with problems:
        label_options = config.dataset_options()
    with problems:
        model = load_classifier(folder)
        record = read_record(folder)
    with problems:
        meta = open_metadata(config.dataset)
    problems.raise_all()
    root = Path(meta.root)
    stored = read_learning(root)
    trained_with = record_preprocessing(folder)
    preprocessing, warnings = _preprocessing(
        trained_with, None if stored is None else stored.preprocessing, _sizes(model.config), root
    )
    missing = [camera for camera in model.config.input_features if camera not in color_cameras(meta)]
    if missing:
        message = f"the dataset has no camera {', '.join(missing)}, which the classifier needs"
        hint = f"it has: {', '.join(color_cameras(meta)) or 'none'}"
        raise UsageError(Problem("missing-camera", message, root, hint))
    episodes = config.dataset.episodes
    if config.split is not None:
        if stored is None or stored.splits is None:
            message = f"split {config.split!r}: no splits are stored with the dataset"
            hint = "give --dataset.episodes"
            raise UsageError(Problem("unknown-split", message, root, hint))
        episodes = stored.splits.part(config.split)
    data = open_data(config.dataset, meta, preprocessing, label_options, episodes)
    evaluation = evaluate(model, data, data.episodes, progress)
    labeler = ClassifierLabelerConfig(enter=config.success_threshold)
    disagreements = [
        Agreement(
            episode.episode_index,
            len(episode.probability),
            IntervalSet.from_mask(episode.label),
            labeler.ranges(episode.probability),
        )
        for episode in evaluation.episodes
        if episode.label is not None
    ]
    report = EvaluationReport(
        evaluation=evaluation,
        threshold=config.success_threshold,
        preprocessing=preprocessing,
        encoder=record.get("encoder"),
        trained_on=_trained_on(record, root, [episode.episode_index for episode in data.episodes]),
        disagreements=disagreements,
        output_dir=None if config.output_dir is None else config.output_dir.expanduser(),
        warnings=[*warnings, *label_warnings(root, bool(label_options))],
    )
    _write(report)
    return report


def _preprocessing(
    trained_with: ImagePreprocessing | None,
    stored: ImagePreprocessing | None,
    sizes: set[tuple[int, int]],
    root: Path,
) -> tuple[ImagePreprocessing, list[Problem]]:
    """The training's preprocessing: its own record, else the dataset's, else only a resize."""
    if trained_with is not None:
        if stored is None or stored == trained_with:
            return trained_with, []
        message = (
            f"the classifier was trained with {trained_with.to_env()}, but {stored.to_env()} "
            "is stored with the dataset"
        )
        hint = "the figures use the training's; crop and resize should be the same everywhere"
        return trained_with, [Problem("other-preprocessing", message, root, hint, severity="warning")]
    if stored is not None:
        return stored, []
    message = "it is unknown how the training's images were cropped: whole images are used"
    hint = "train with lerobot-grasp-train-classifier, which records it"
    size = next(iter(sizes)) if len(sizes) == 1 else None
    return ImagePreprocessing({}, size), [Problem("unknown-crop", message, hint=hint)]


def _sizes(config: Any) -> set[tuple[int, int]]:
    return {(int(feature.shape[1]), int(feature.shape[2])) for feature in config.input_features.values()}


def _trained_on(record: dict[str, Any], root: Path, episodes: Sequence[int]) -> list[int]:
    """Episodes of the training split, recognised by the dataset's folder or their content hash."""
    known = record.get("train_content_sha256")
    if isinstance(known, list) and known:
        hashes = content_hashes(root)
        if hashes:
            return [episode for episode in episodes if hashes.get(episode) in known]
    dataset, splits = record.get("dataset"), record.get("splits")
    if not isinstance(dataset, dict) or not isinstance(splits, dict):
        return []
    if Path(str(dataset.get("root"))).resolve() != root.resolve():
        return []
    train = set(splits.get("parts", {}).get("train", []))
    return [episode for episode in episodes if episode in train]


def _write(report: EvaluationReport) -> None:
    if report.output_dir is None:
        return
    with staged(report.output_dir) as staging:
        raw = json.dumps(report.to_json(), indent=2) + "\n"
        (staging / "report.json").write_text(raw, encoding="utf-8")
        plot_episodes(report.evaluation.episodes, report.threshold).save(staging / "curves.png")
        if report.evaluation.worst:
            contact_sheet(report.evaluation.worst).save(staging / "worst_frames.png")

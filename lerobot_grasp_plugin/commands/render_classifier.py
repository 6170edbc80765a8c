"""Reports on reward classifiers as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.render_labelers import disagreement_lines
from lerobot_grasp_plugin.findings.words import count

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.classifier.data import LabelledEpisode
    from lerobot_grasp_plugin.learning.classifier.evaluation import Evaluation
    from lerobot_grasp_plugin.learning.classifier.fit import Validation
    from lerobot_grasp_plugin.learning.classifier.metrics import Confusion
    from lerobot_grasp_plugin.learning.classifier.review import EvaluationReport
    from lerobot_grasp_plugin.learning.classifier.training import TrainingPlan, TrainingReport
    from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing

LEROBOT_THRESHOLD = 0.5
BEST = "checkpoints/last/pretrained_model"
_HEAD = ("Frames", "Success", "Accuracy", "Precision", "Recall", "F1", "AUC")


def plan_lines(plan: TrainingPlan) -> Iterator[str]:
    """The plan of a training: model, episodes, steps, output folder."""
    config = plan.config
    yield f"=== Reward classifier of {config.dataset.repo_id}: {plan.root} ==="
    yield f"Encoder: {plan.encoder}"
    yield f"Images: {_images(plan.preprocessing)}; not normalised, as LeRobot's environment shows them"
    yield f"Training on {_part(plan.train)}"
    yield f"Validating on {_part(plan.val)}; {plan.splits_from}"
    yield (
        f"At most {config.steps} steps of {config.batch_size} frames on {plan.device}, validated every "
        f"{config.eval_steps}; stops after {config.patience} validations without a lower loss"
    )
    yield f"Output: {plan.output_dir}, with the best checkpoint so far in {BEST}"


def validation_line(validation: Validation) -> str:
    """The figures after some steps, and the time left."""
    auc = "-" if validation.val_auc is None else f"{validation.val_auc:.4f}"
    mark = "  lowest" if validation.is_best else ""
    left = f", at most {_duration(validation.left_s)} left" if validation.left_s else ""
    return (
        f"step {validation.step}: loss {validation.train_loss:.4f}, validation loss "
        f"{validation.val_loss:.4f}, AUC {auc}, {validation.seconds:.0f} s{left}{mark}"
    )


def training_lines(report: TrainingReport) -> Iterator[str]:
    """The classifier's quality on the validation episodes, and how to use it."""
    yield from map(str, report.warnings)
    yield f"Lowest validation loss at step {report.best_step} of {report.steps}"
    yield ""
    yield from _quality(report.evaluation, LEROBOT_THRESHOLD)
    if report.suggested_threshold is not None:
        yield f"Suggested success_threshold: {report.suggested_threshold:.3f} (highest F1 on these episodes)"
    yield f"Wrote {report.output_dir} in {report.seconds:.0f} s; in the environment's config:"
    yield f'  "reward_classifier": {{"pretrained_path": "{report.pretrained_path}"}}'


def evaluation_lines(report: EvaluationReport) -> Iterator[str]:
    """Disagreements with the labels first, then the classifier's quality."""
    yield from map(str, report.warnings)
    yield from disagreement_lines(report.disagreements)
    yield ""
    if report.encoder:
        yield f"Encoder: {report.encoder}"
    yield f"Images: {_images(report.preprocessing)}"
    if report.trained_on:
        yield f"Episodes it was trained on, for which the figures are too good: {_indices(report.trained_on)}"
    if report.evaluation.is_labelled:
        yield from _quality(report.evaluation, report.threshold)
        suggested = report.evaluation.suggested_threshold
        if suggested is not None:
            yield f"Highest F1 on these episodes at threshold {suggested:.3f}"
    else:
        yield f"{report.evaluation.frames} frames without labels"
    if report.output_dir is not None:
        yield f"Wrote report and images to {report.output_dir}"


def _quality(evaluation: Evaluation, threshold: float) -> Iterator[str]:
    whole = evaluation.confusion(threshold)
    size = f"{count(len(evaluation.episodes), 'episode')}, {count(whole.frames, 'frame')}"
    yield f"=== {size}, threshold {threshold:g} ==="
    yield f"AUC {_figure(evaluation.area_under_curve)}, {_rates(whole)}"
    yield from _aligned(
        [
            ("", "said success", "said failure"),
            ("is success", str(whole.true_success), str(whole.false_failure)),
            ("is failure", str(whole.false_success), str(whole.true_failure)),
        ]
    )
    yield ""
    rows: list[Sequence[str]] = [("Source", *_HEAD)]
    rows += [_row(source, part, threshold) for source, part in evaluation.by_source()]
    yield from _aligned(rows)
    yield ""
    rows = [("Episode", *_HEAD)]
    rows += [
        _row(f"{episode.episode_index:02d}", alone, threshold) for episode, alone in evaluation.by_episode()
    ]
    yield from _aligned(rows)
    yield ""


def _row(name: str, part: Evaluation, threshold: float) -> tuple[str, ...]:
    found = part.confusion(threshold)
    success = found.true_success + found.false_failure
    rates = (found.accuracy, found.precision, found.recall, found.f1, part.area_under_curve)
    return (name, str(found.frames), str(success), *map(_figure, rates))


def _rates(found: Confusion) -> str:
    names = ("accuracy", "precision", "recall", "f1")
    return ", ".join(f"{'F1' if name == 'f1' else name} {_figure(getattr(found, name))}" for name in names)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _indices(episodes: Sequence[int]) -> str:
    return ", ".join(map(str, episodes))


def _part(episodes: Sequence[LabelledEpisode]) -> str:
    frames = sum(episode.length for episode in episodes)
    success = sum(0 if episode.label is None else int(episode.label.sum()) for episode in episodes)
    indices = _indices([episode.episode_index for episode in episodes])
    size = f"{count(len(episodes), 'episode')}, {count(frames, 'frame')}"
    return f"{size}, {success} of them success ({100 * success / frames:.1f} %): {indices}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _images(preprocessing: ImagePreprocessing) -> str:
    size = preprocessing.resize
    crops = [
        f"{key} cropped to {list(crop)} (top, left, height, width)"
        for key, crop in preprocessing.crops.items()
    ]
    resized = "not resized" if size is None else f"resized to {size[0]} x {size[1]}"
    return ", ".join([*(crops or ["whole"]), resized, "values in [0, 1]"])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = row
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()

"""This package's own options of the classifier's commands; imports neither lerobot nor torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.choices import Unlisted
from lerobot_grasp_plugin.dataset.hub import locate
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.annotate import check_annotations
from lerobot_grasp_plugin.merging.recipe import LabelOptions


@dataclass(kw_only=True)
class LabelSourceConfig:
    """Labels of an annotation file instead of the dataset's own."""

    # annotation file that labels the dataset while it is read (default: its next.reward)
    annotations: Path | None = None
    # episodes without annotation: error, fail (all failure), keep (their labels), drop (leave out)
    unlisted: Unlisted = "error"
    # index base of annotations that do not state one: 0 or 1
    index_base: int | None = None

    def problems(self) -> list[Problem]:
        """Finds invalid values."""
        return []

    def check(self) -> None:
        """Checks all settings.

        Raises:
            UsageError: With all of their errors.
        """
        if problems := self.problems():
            raise UsageError(problems)

    def dataset_options(self) -> dict[str, Any]:
        """The arguments for ``GraspDataset``.

        Raises:
            GraspError: The annotation file has errors, or is missing although options for it are given.
        """
        if self.annotations is not None:
            options = LabelOptions(unlisted=self.unlisted, index_base=self.index_base)
            check_annotations([self.annotations], options)
            names = ("annotations", "unlisted", "index_base")
            return {name: getattr(self, name) for name in names}
        if self.unlisted != "error" or self.index_base is not None:
            message = "unlisted and index_base have no effect without an annotation file"
            raise UsageError(Problem("no-effect", message, hint="give --annotations, or remove them"))
        return {}


@dataclass(kw_only=True)
class ClassifierTrainOptions(LabelSourceConfig):
    """The duration of a classifier's training, and its validation."""

    # maximum number of optimisation steps
    steps: int = 400
    # frames per step
    batch_size: int = 32
    # steps between validations
    eval_steps: int = 25
    # steps between printed lines
    log_freq: int = 25
    # stop after this many validations without a lower loss
    patience: int = 6
    # validation episodes: "1,3,5-9" (default: those stored with the dataset, else drawn)
    val_episodes: list[int] | str | None = None
    # make a small encoder and train it with the head, instead of using reward_model.model_name
    make_encoder: bool = False

    def problems(self) -> list[Problem]:
        positive = ("steps", "batch_size", "eval_steps", "log_freq", "patience")
        return [
            Problem("bad-value", f"{name} must be 1 or more, not {getattr(self, name)}")
            for name in positive
            if getattr(self, name) < 1
        ]


@dataclass(kw_only=True)
class ClassifierEvalOptions(LabelSourceConfig):
    """The checkpoint to evaluate, and the output."""

    # the checkpoint's pretrained_model folder, as in env.processor.reward_classifier.pretrained_path
    pretrained_path: Path
    # only the episodes of a stored split: train or val
    split: str | None = None
    # a frame counts as success above this probability, as in env.processor.reward_classifier
    success_threshold: float = 0.5
    # folder for the report, the curves and the contact sheet; must not exist (default: none)
    output_dir: Path | None = None

    def problems(self) -> list[Problem]:
        problems = []
        if not 0 <= self.success_threshold < 1:
            hint = "expected a probability from 0 up to, not including, 1"
            problems.append(Problem("bad-value", f"success_threshold is {self.success_threshold}", hint=hint))
        if self.output_dir is not None and self.output_dir.expanduser().exists():
            message = "output_dir already exists; existing folders are never overwritten"
            problems.append(Problem("target-exists", message, self.output_dir, "choose another name"))
        return problems

    def check_checkpoint(self) -> None:
        """Checks that the files of the checkpoint exist.

        Raises:
            UsageError: One is missing.
        """
        check_checkpoint(self.pretrained_path.expanduser())


def check_options(
    options: LabelSourceConfig,
    repo_id: str | None,
    root: str | Path | None,
    others: Iterable[Callable[[], None]] = (),
) -> None:
    """Checks a command's options, the annotation file, and the dataset if its folder is given.

    Without a folder the Hub may have to be asked, which takes long.

    Args:
        options: The command's.
        repo_id: Name of the dataset.
        root: Its folder.
        others: Further checks; each raises a ``GraspError``.

    Raises:
        GraspError: With all problems.
    """
    checks: list[Callable[[], object]] = [options.check, options.dataset_options, *others]
    if root is not None:
        checks.append(partial(check_dataset, repo_id, root))
    problems = Gathered()
    for check in checks:
        with problems:
            check()
    problems.raise_all()


def check_checkpoint(folder: Path) -> None:
    """Checks that the files of a classifier's checkpoint exist.

    Raises:
        UsageError: One is missing.
    """
    if (folder / "config.json").is_file() and (folder / "model.safetensors").is_file():
        return
    inner = folder / "checkpoints/last/pretrained_model"
    hint = "give the pretrained_model folder, with config.json and model.safetensors"
    hint += f": {inner}" if inner.is_dir() else ""
    raise UsageError(Problem("no-checkpoint", "the folder is not a checkpoint", folder, hint))


def check_dataset(repo_id: str | None, root: str | Path | None) -> None:
    """Checks that the dataset of a ``dataset`` block exists, on this machine or on the Hub.

    Raises:
        UsageError: The dataset does not exist.
    """
    locate(repo_id, root, options="--dataset.")


def refuse_existing_run(output_dir: Path) -> None:
    """Refuses an existing output folder.

    Raises:
        UsageError: It exists.
    """
    if output_dir.exists() or output_dir.is_symlink():
        hint = "choose another --output_dir, or move the folder away"
        message = "output_dir already exists; existing folders are never overwritten"
        raise UsageError(Problem("target-exists", message, output_dir, hint))

"""The learner's configuration, with a dataset block that may name sources and annotations."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lerobot.configs.default import DatasetConfig
from lerobot.rl.train_rl import TrainRLServerPipelineConfig

from lerobot_grasp_plugin.core.choices import Alignment
from lerobot_grasp_plugin.core.selection import without_episodes
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.learning.data.known_settings import DATASET, unknown_settings
from lerobot_grasp_plugin.lerobot_seams.version import installed
from lerobot_grasp_plugin.merging.recipe import LabelOptions, SourceConfig


@dataclass
class GraspDatasetConfig(DatasetConfig, LabelOptions):  # type: ignore[misc]  # lerobot is not typed
    """LeRobot's ``dataset`` block, extended by sources and annotations.

    Without ``sources`` it names one dataset, as LeRobot's does, and ``annotations`` may label it. With
    ``sources``, ``repo_id`` is the name of the dataset that is made of them.
    """

    # the dataset, owner/name; with sources: the name of the merged one
    repo_id: str | None = None
    # episodes to use: "0-14", [2, 7, 8], "!19,23" for all but these (default: all)
    episodes: list[int] | str | None = None
    # episodes to leave out, by index; in addition to episodes (of one dataset, not with sources)
    exclude_episodes: list[int] | None = None
    # the datasets to merge, each with repo_id, root, episodes, annotations, rename, task
    sources: list[SourceConfig] = field(default_factory=list)
    # annotation file for all sources
    annotations: Path | None = None
    # next: row t has the label of frame t+1, the reward of step t as the actor sends it;
    # frame: row t has the label of frame t
    alignment: Alignment = "next"
    # features to leave out
    drop_features: list[str] = field(default_factory=list)
    # robot_type of the merged dataset, if the sources differ
    robot_type: str | None = None

    def __post_init__(self) -> None:
        given = self.episodes
        self.episodes = None  # LeRobot's check knows lists of indices only; merging.sources checks all forms
        super().__post_init__()
        self.episodes = given

    def source_configs(self) -> list[SourceConfig]:
        """The sources to merge; empty if the headers of the annotation file name them.

        Raises:
            UsageError: With every setting that contradicts another, or has no effect.
        """
        problems = []
        if self.sources:
            of_one = ("root", "episodes", "exclude_episodes", "revision")
            single = [name for name in of_one if getattr(self, name) is not None]
            if single:
                names = " and ".join(f"dataset.{name}" for name in single)
                message = f"{names} cannot be combined with dataset.sources"
                hint = "set it in each source"
                problems.append(Problem("contradicting-options", message, hint=hint))
        elif self.repo_id is None and self.root is None and self.annotations is None:
            hint = "give dataset.repo_id, dataset.root, dataset.sources or dataset.annotations"
            problems.append(Problem("no-dataset", "the dataset block names no dataset", hint=hint))
        elif self.repo_id is None and self.root is None and self._selects_episodes:
            message = "dataset.episodes and dataset.exclude_episodes apply to one dataset, but the "
            message += "annotation file names the datasets"
            hint = "give one with dataset.repo_id or dataset.root, or all with dataset.sources"
            problems.append(Problem("contradicting-options", message, hint=hint))
        if self.revision is not None and not self.sources:
            message = f"dataset.revision {self.revision!r} is not supported"
            hint = "download that revision and set dataset.root"
            problems.append(Problem("unsupported-option", message, hint=hint))
        if self.streaming or self.repo_type != "dataset" or self.eval_split:
            message = "the learner does not support streaming, repo_type and eval_split of the dataset block"
            hint = "remove them; the offline buffer holds the whole dataset"
            problems.append(Problem("unsupported-option", message, hint=hint))
        for name in unknown_settings(self, DatasetConfig, DATASET):
            message = (
                f"dataset.{name} is a setting of LeRobot {installed()} that lerobot-grasp-learner does not "
            )
            message += "know; it would be applied to the merged dataset, whose episodes have other numbers"
            problems.append(Problem("unsupported-option", message, hint="remove it"))
        labelled = self.annotations is not None or self.labels_from is not None
        labelled |= any(source.annotations or source.labels_from for source in self.sources)
        if self.done is not None and not labelled:
            message = f"dataset.done {self.done!r} has no effect without annotations"
            hint = "set dataset.annotations or dataset.labels_from, or remove it"
            problems.append(Problem("no-effect", message, hint=hint))
        if problems:
            raise UsageError(problems)
        if self.sources:
            return list(self.sources)
        if self.repo_id is None and self.root is None:
            return []
        root = None if self.root is None else Path(self.root)
        episodes = without_episodes(self.episodes, self.exclude_episodes)
        return [SourceConfig(repo_id=self.repo_id, root=root, episodes=episodes)]

    @property
    def _selects_episodes(self) -> bool:
        return self.episodes is not None or bool(self.exclude_episodes)

    def plain(self, repo_id: str, root: Path) -> DatasetConfig:
        """LeRobot's own block for a finished dataset, all of it; settings of its reading stay as given."""
        settings = {entry.name: getattr(self, entry.name) for entry in fields(DatasetConfig)}
        chosen = dict.fromkeys(settings.keys() & {"episodes", "exclude_episodes"})
        return DatasetConfig(**settings | chosen | {"repo_id": repo_id, "root": str(root)})

    def of_checkpoint(self) -> DatasetConfig:
        """The block of a checkpoint's ``train_config.json``, where nothing is to be made any more.

        Raises:
            UsageError: It is not from a checkpoint: it names sources or annotations.
        """
        if self.sources or self.annotations is not None or self.repo_id is None or self.root is None:
            message = "a resumed run uses the dataset of its checkpoint, but this config names another"
            hint = (
                "set --config_path to the checkpoint's: checkpoints/last/pretrained_model/train_config.json"
            )
            raise UsageError(Problem("resume-config", message, hint=hint))
        return self.plain(self.repo_id, Path(self.root))


@dataclass(kw_only=True)
class GraspTrainRLConfig(TrainRLServerPipelineConfig):  # type: ignore[misc]
    """LeRobot's configuration of learner and actor, with the extended dataset block."""

    # the data of the offline buffer
    dataset: GraspDatasetConfig | None = None
    # cache of merged datasets (default: LeRobot's home folder / grasp_cache)
    cache_dir: Path | None = None
    # start lerobot-grasp-actor with the same flags; each ends when the other does
    with_actor: bool = False
    # batches of behaviour cloning on the offline dataset before reinforcement learning starts
    bc_steps: int = 0
    # batches of behaviour cloning per update of reinforcement learning (default: none). A resumed run
    # keeps its own values of this option and the next two by default
    bc_ratio: float | None = None
    # updates in which the critics learn from rewards, and the actor only by behaviour cloning
    critic_steps: int | None = None
    # largest random shift of the images in a batch, pixels (default: LeRobot's 4, for 128 pixels)
    image_shift: int | None = None
    # show the run's figures in Rerun
    display_data: bool = False
    # address of a running viewer (default: start one)
    display_ip: str | None = None
    # its port
    display_port: int | None = None

    def plain(self, dataset: DatasetConfig | None) -> TrainRLServerPipelineConfig:
        """The configuration for LeRobot's learner: its own classes, so that checkpoints are its own."""
        settings = {
            entry.name: getattr(self, entry.name)
            for entry in fields(TrainRLServerPipelineConfig)
            if entry.init
        }
        return TrainRLServerPipelineConfig(**settings | {"dataset": dataset})

    def encoded(self) -> dict[str, Any]:
        """The configuration as JSON types, with every default in it; ``install_dataset`` comes first."""
        raw: dict[str, Any] = self.to_dict()
        return raw

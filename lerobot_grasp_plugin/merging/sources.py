"""Opens the source datasets of a merge and chooses their episodes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import SuccessRule
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.file_state import FileState
from lerobot_grasp_plugin.dataset.hub import locate
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.dataset.recorded_success import RecordedSuccess
from lerobot_grasp_plugin.dataset.writer_lock import refuse_in_use
from lerobot_grasp_plugin.findings.gathering import raise_all
from lerobot_grasp_plugin.findings.problem import GraspError, Place, Problem, UsageError
from lerobot_grasp_plugin.merging.label_column import LabelColumn
from lerobot_grasp_plugin.merging.opening import open_episodes
from lerobot_grasp_plugin.merging.recipe import SourceConfig

if TYPE_CHECKING:
    from lerobot_grasp_plugin.dataset.cut import Part
    from lerobot_grasp_plugin.merging.derived import Derivation

_LABELS = {layout.REWARD: ("float32", "float64"), layout.DONE: ("bool",), layout.SUCCESS: ("bool",)}


@dataclass(frozen=True)
class Source:
    """One dataset of a merge; each step of a plan returns it with what the step adds.

    Attributes:
        number: Its place in the recipe, 0-based.
        config: Its entry in the recipe.
        reader: The open dataset.
        episodes: The chosen episodes, by ``episode_index``, in output order; parts by their numbers.
        features: Its features under their names in the output.
        original: Output name -> name in this dataset.
        state: State of its files before any was read.
        labels: Success frames of each annotated episode; None when nothing is labelled.
        column: The column that labels the chosen episodes that are not in ``labels``; None for recorded
            labels.
        column_rule: Which of its values mean success; None before ``with_recorded_labels``, or with a
            threshold.
        recorded: Success by its rows; None before ``with_recorded_labels``, or without labels.
        annotation_sha256: Hash of its annotation file.
        flagged: Episodes that the annotation file flags, and the reasons.
        notes: Remarks for the report.
        derivation: The columns computed from its joints; None if all are copied.
        parts: The parts of episodes that are episodes of the output, by the numbers by which ``reader`` knows
            them: those after its own episodes.
        unused_tasks: Task indices of which no row goes into the output, and which are left out therefore.
    """

    number: int
    config: SourceConfig
    reader: DatasetReader
    episodes: Sequence[int]
    features: Mapping[str, Feature]
    original: Mapping[str, str]
    state: FileState
    labels: Mapping[int, IntervalSet] | None = None
    column: LabelColumn | None = None
    column_rule: SuccessRule | None = None
    recorded: RecordedSuccess | None = None
    annotation_sha256: str | None = None
    flagged: Mapping[int, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    derivation: Derivation | None = None
    parts: Mapping[int, Part] = field(default_factory=dict)
    unused_tasks: frozenset[int] = frozenset()

    def noted(self, *notes: str) -> Source:
        """The source with further remarks for the report."""
        return replace(self, notes=(*self.notes, *notes))

    @property
    def repo_id(self) -> str:
        """The dataset's name."""
        return self.reader.repo_id

    @property
    def own_lengths(self) -> Sequence[int]:
        """Frames of each episode of the dataset; parts are left out."""
        lengths: Sequence[int] = self.reader.lengths[: len(self.reader.lengths) - len(self.parts)].tolist()
        return lengths

    def own_episode(self, number: int) -> int:
        """The ``episode_index`` of an episode, or of the one that it is a part of."""
        return self.parts[number].episode if number in self.parts else number

    def place_of(self, place: Place, number: int, frame: int) -> Place:
        """A place with the episode and frame in the dataset, of a frame of one of ``episodes``."""
        start = self.parts[number].start if number in self.parts else 0
        return replace(place, episode=self.own_episode(number), frame=start + frame)

    @property
    def title(self) -> str:
        """The dataset's name without its owner."""
        return self.reader.repo_id.rsplit("/", 1)[-1]

    @property
    def task_numbers(self) -> Mapping[int, int]:
        """Of each chosen episode that ``config.tasks`` names: the number of its task in ``tasks``."""
        chosen = set(map(self.own_episode, self.episodes)) if self.config.tasks else ()
        tasks = {episode: task for episode, task in self.config.tasks.items() if episode in chosen}
        first = max(self.reader.tasks, default=0) + 1
        numbers = {task: number for number, task in enumerate(dict.fromkeys(tasks.values()), start=first)}
        return {episode: numbers[task] for episode, task in tasks.items()}

    @property
    def tasks(self) -> Mapping[int, str]:
        """Sentence of each of its task indices in the output; those of ``config.tasks`` are the last ones."""
        of_episodes = {number: self.config.tasks[episode] for episode, number in self.task_numbers.items()}
        if self.config.task is not None:
            return {**dict.fromkeys(self.reader.tasks or (0,), self.config.task), **of_episodes}
        own = {number: task for number, task in self.reader.tasks.items() if number not in self.unused_tasks}
        return {**own, **of_episodes}


def open_sources(
    configs: Sequence[SourceConfig],
    drop_features: Sequence[str],
    *,
    follow_links: bool = False,
    rescue: bool = False,
    settled: bool = False,
    options: str = "--",
) -> list[Source]:
    """Opens every source and chooses its episodes.

    Args:
        configs: Their entries in the recipe.
        drop_features: Features to leave out, by their names in the output.
        follow_links: Whether links in ``data`` and ``videos`` may lead outside a dataset.
        rescue: Whether to use the intact part of interrupted recordings.
        settled: Whether to refuse datasets that another program is writing.
        options: Prefix of option names in hints.

    Raises:
        GraspError: With the errors of all sources; a ``UsageError`` if only the call is wrong.
    """
    sources: list[Source] = []
    errors: list[GraspError] = []
    for number, config in enumerate(configs):
        try:
            location = locate(config.repo_id, config.root, options=options).following(follow_links)
            if settled:
                refuse_in_use(location.root)
            if location.fetch_rest is not None:
                location.fetch_rest()
            state = FileState.of(location.root, [folder for _, folder in location.links.folders])
            named = f"episodes of {location.repo_id}"
            reader, episodes = open_episodes(location, config.episodes, named, rescue=rescue)
            if problems := list(_wrong_tasks(reader.repo_id, config, episodes, len(reader.lengths))):
                raise UsageError(problems)
            features, original = _renamed(reader, config.rename, drop_features)
            sources.append(Source(number, config, reader, episodes, features, original, state))
        except GraspError as error:
            errors.append(error)
    known = {
        source.config.rename.get(name, name) for source in sources for name in source.reader.info.features
    }
    own = {*layout.INDEX_COLUMNS, layout.TIMESTAMP}
    hint = f"features that can be dropped, by their names in the output: {', '.join(sorted(known - own))}"
    if kept := [name for name in drop_features if name in own]:
        message = f"drop_features: LeRobot needs {', '.join(map(repr, kept))}"
        errors.append(UsageError(Problem("needed-feature", message, hint=hint)))
    unknown = [name for name in drop_features if name not in known | own]
    if unknown and len(sources) == len(configs):
        message = f"drop_features: no source has a feature {', '.join(map(repr, unknown))}"
        errors.append(UsageError(Problem("unknown-feature", message, hint=hint)))
    raise_all(errors)
    return sources


def _wrong_tasks(
    repo_id: str, config: SourceConfig, episodes: Sequence[int], total: int
) -> Iterator[Problem]:
    """What is wrong with the tasks that a recipe gives to a source and to its episodes."""
    chosen = set(episodes)
    if config.task is not None and not config.task.strip():
        yield Problem("empty-task", f"the task of {repo_id} is empty")
    for episode, task in config.tasks.items():
        if not task.strip():
            yield Problem("empty-task", f"the task of episode {episode} of {repo_id} is empty")
        if not 0 <= episode < total:
            message = f"tasks of {repo_id}: episode {episode} is out of range: there are {total} episodes"
            yield Problem("unknown-episode", message, hint="counted from 0")
        elif episode not in chosen:
            message = f"tasks of {repo_id}: episode {episode} is not among the episodes that are taken"
            yield Problem("task-not-chosen", message, hint="add it to `episodes`, or leave its task out")


def _renamed(
    reader: DatasetReader, rename: Mapping[str, str], drop: Sequence[str]
) -> tuple[dict[str, Feature], dict[str, str]]:
    """Features under their output names, and output name -> source name."""
    own = reader.info.features
    problems = []
    for old, new in rename.items():
        if old not in own:
            hint = f"it has: {', '.join(own)}"
            message = f"rename: dataset {reader.repo_id} has no feature {old!r}"
            problems.append(Problem("unknown-feature", message, hint=hint))
        elif old in (*layout.INDEX_COLUMNS, layout.TIMESTAMP):
            problems.append(
                Problem("bad-rename", f"rename: {old!r} is reserved by LeRobot and keeps its name")
            )
        elif new in (*layout.INDEX_COLUMNS, layout.TIMESTAMP):
            problems.append(
                Problem("bad-rename", f"rename: {old!r} cannot become {new!r}, which is reserved by LeRobot")
            )
        elif new in _LABELS and (own[old].dtype not in _LABELS[new] or math.prod(own[old].shape) != 1):
            message = f"{old!r} ({own[old].dtype}, shape {list(own[old].shape)}) cannot become {new!r}"
            problems.append(
                Problem("bad-rename", message, hint=f"{new} must be one {_LABELS[new][0]} per row")
            )
        if not new or "/" in new:
            problems.append(Problem("bad-rename", f"rename: {new!r} is not a valid feature name"))
    original: dict[str, str] = {}
    for name in own:
        new = rename.get(name, name)
        if new in original:
            message = f"rename: two features of dataset {reader.repo_id} would have the name {new!r}"
            problems.append(Problem("bad-rename", message))
        original[new] = name
    if problems:
        raise UsageError(problems)
    original = {new: name for new, name in original.items() if new not in drop}
    return {new: own[name] for new, name in original.items()}, original


def same_folder(one: Path, other: Path) -> bool:
    """Whether two paths are one folder."""
    try:
        return one.samefile(other)
    except OSError:
        return False

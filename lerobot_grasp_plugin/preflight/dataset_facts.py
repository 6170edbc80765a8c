"""Reads the facts of a dataset: features, numeric columns, statistics and this plugin's sidecars."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.labels import LabelValues, SuccessEvidence, SuccessRule
from lerobot_grasp_plugin.core.selection import without_episodes
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric, to_numpy
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.dataset.learning import StoredLearning, has_sidecar, stored_learning
from lerobot_grasp_plugin.dataset.provenance import Provenance, read_provenance
from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.merging.annotate import label_sources, sources_of_headers
from lerobot_grasp_plugin.merging.recipe import LabelOptions, SourceConfig
from lerobot_grasp_plugin.merging.source_labels import with_recorded_labels
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from lerobot_grasp_plugin.preflight.config_labels import label_options, labels_of
from lerobot_grasp_plugin.preflight.config_view import ConfigView
from lerobot_grasp_plugin.preflight.image_shapes import Preprocessing, preprocessing_of

_WIDEST = 256

LEARNER: Final = frozenset(
    {
        "cache_dir",
        "with_actor",
        "bc_steps",
        "bc_ratio",
        "critic_steps",
        "image_shift",
        "display_data",
        "display_ip",
        "display_port",
    }
)
"""Options of this package's ``GraspTrainRLConfig`` that LeRobot's learner does not have."""


@dataclass(frozen=True)
class DatasetFacts:
    """The chosen episodes of one dataset, with the names and labels they will have in training.

    Attributes:
        where: Its place in the config: ``dataset``, or ``dataset.sources[0]``.
        repo_id: Its name.
        root: Its folder.
        fps: Frames per second.
        total_episodes: Episodes of the whole dataset, chosen or not.
        features: By name.
        lengths: Rows of each chosen episode, shape (episodes,).
        episodes: ``episode_index`` of each chosen episode, shape (episodes,).
        columns: Numeric columns, shape (rows, width), float64; rows of the chosen episodes in order.
        stats: ``meta/stats.json``.
        provenance: ``meta/grasp_provenance.json``; empty if absent.
        learning: ``meta/grasp_learning.json``; empty if absent.
        has_sidecar: Whether it has one of the two.
        rule: Which rows are success; None to decide by the rows and the sidecar.
        relabelled: Whether ``next.reward`` and ``next.done`` come from the config's annotations.
        built: Whether the plugin's learner builds a new dataset from it, which then has a sidecar.
        version: Its ``codebase_version``.
    """

    where: str
    repo_id: str
    root: Path
    fps: float
    total_episodes: int
    features: Mapping[str, Feature]
    lengths: NDArray[np.int64]
    episodes: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]
    stats: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    learning: StoredLearning = field(default_factory=StoredLearning)
    has_sidecar: bool = False
    rule: SuccessRule | None = None
    relabelled: bool = False
    built: bool = False
    version: str = "v3.0"

    @property
    def frames(self) -> int:
        """Rows of the chosen episodes."""
        return int(self.lengths.sum())

    @property
    def ours(self) -> bool:
        """Whether it is read as a GraspDataset: it has a sidecar, or will have one."""
        return self.built or self.has_sidecar

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First row of each chosen episode."""
        return np.concatenate(([0], np.cumsum(self.lengths)[:-1])).astype(np.int64)

    @property
    def preprocessing(self) -> Preprocessing | None:
        """The image preprocessing stored with it."""
        return preprocessing_of(self.learning.image_preprocessing)

    @property
    def cameras(self) -> list[str]:
        """Features that are images."""
        return [name for name, feature in self.features.items() if feature.dtype in ("image", "video")]

    @property
    def labels(self) -> Mapping[str, Any]:
        """Its label options by its provenance."""
        return self.provenance.labels

    @cached_property
    def success_rule(self) -> SuccessRule:
        """Which rows are success."""
        if self.rule is not None:
            return self.rule
        evidence = SuccessEvidence()
        evidence.add(self._column(layout.REWARD), self._column(layout.SUCCESS))
        return evidence.rule(self.provenance.values)

    @cached_property
    def success(self) -> NDArray[np.bool_] | None:
        """Success rows, shape (rows,); None if unknown."""
        return self.success_rule.rows(self._column(layout.REWARD), self._column(layout.SUCCESS))

    def _column(self, name: str) -> NDArray[np.float64] | None:
        values = self.columns.get(name)
        return None if values is None or values.shape[1] != 1 else values[:, 0]

    def column_place(self, name: str) -> str:
        """The place of a column in a finding."""
        return f"{self.where}: column {name}"

    def per_episode(self, name: str) -> list[NDArray[np.float64]]:
        """A column's rows, episode by episode."""
        return np.split(self.columns[name], self.starts[1:])

    def names(self, name: str) -> list[str]:
        """Names of a feature's dimensions; empty without names."""
        feature = self.features.get(name)
        return feature.dimensions if feature is not None else []


def is_recipe(config: ConfigView) -> bool:
    """Whether the ``dataset`` block is the plugin's: it has sources, annotations or a label column."""
    block = config.mapping("dataset")
    names = ("annotations", "labels_from")
    return bool(block.get("sources")) or any(block.get(name) is not None for name in names)


def is_of_plugin(config: ConfigView) -> bool:
    """Whether lerobot-grasp-learner must run it, because it has options of the plugin."""
    return is_recipe(config) or (not is_reward_training(config) and any(map(config.has, LEARNER)))


def is_reward_training(config: ConfigView) -> bool:
    """Whether the config trains a reward classifier instead of a policy."""
    return config.get("reward_model") is not None and config.get("policy") is None


def load_datasets(config: ConfigView, built: bool) -> tuple[list[DatasetFacts], list[Problem]]:
    """Opens every dataset the config names; what cannot be read becomes a finding.

    Args:
        config: The config.
        built: Whether the plugin's learner builds a new dataset from them.
    """
    block = config.mapping("dataset")
    if not block:
        return [], []
    if is_reward_training(config):  # lerobot-grasp-train-classifier has its label options next to the dataset
        labels = {name: config.get(name) for name in ("annotations", "unlisted", "index_base")}
        block = {**block, **labels, "alignment": "frame"}
    findings: list[Problem] = []
    opened: list[tuple[str, Source]] = []
    try:
        entries = _entries(block)
    except GraspError as failure:
        return [], _as_findings(failure, "dataset.annotations", "annotations-unusable")
    for where, entry in entries:
        try:
            opened += [(where, source) for source in open_sources([entry], (), options=f"{where}.")]
        except GraspError as failure:
            findings += _as_findings(failure, where, "dataset-unreadable")
        except OSError as failure:
            reason = failure.strerror or str(failure)
            findings.append(Problem("dataset-unreadable", reason, where, "fix it, or use another one"))
    if opened and not findings:
        sources, findings = _labelled([source for _, source in opened], block)
        opened = [(where, source) for (where, _), source in zip(opened, sources, strict=True)]
    options = label_options(block)
    facts = []
    for where, source in opened:
        try:
            facts.append(_read(where, source, options, built))
        except GraspError as failure:
            findings += _as_findings(failure, where, "dataset-unreadable")
        except OSError as failure:
            reason = failure.strerror or str(failure)
            findings.append(Problem("dataset-unreadable", reason, where, "fix it, or use another one"))
    findings += [problem for dataset in facts for problem in dataset.learning.problems]
    return facts, findings


def _entries(block: Mapping[str, Any]) -> list[tuple[str, SourceConfig]]:
    """The datasets to open, each with its place in the config, by the rule of ``GraspDatasetConfig``."""
    sources = block.get("sources")
    if isinstance(sources, list) and sources:
        return [(f"dataset.sources[{number}]", _source_config(entry)) for number, entry in enumerate(sources)]
    annotations = block.get("annotations")
    if isinstance(annotations, str) and block.get("repo_id") is None and block.get("root") is None:
        found = sources_of_headers(Path(annotations), label_options(block).index_base)
        return [("dataset.annotations", entry) for entry in found]
    return [("dataset", _source_config(block))]


def _source_config(entry: Any) -> SourceConfig:
    raw = entry if isinstance(entry, Mapping) else {}

    def path(name: str) -> Path | None:
        return Path(raw[name]) if isinstance(raw.get(name), str) else None

    repo_id, episodes, rename = raw.get("repo_id"), raw.get("episodes"), raw.get("rename")
    threshold = raw.get("labels_threshold")
    excluded = raw.get("exclude_episodes")
    return SourceConfig(
        repo_id=repo_id if isinstance(repo_id, str) else None,
        root=path("root"),
        episodes=without_episodes(
            episodes if isinstance(episodes, str) or _whole_numbers(episodes) else None,
            excluded if _whole_numbers(excluded) else None,
        ),
        annotations=path("annotations"),
        labels_from=raw["labels_from"] if isinstance(raw.get("labels_from"), str) else None,
        labels_threshold=threshold if isinstance(threshold, int | float) else None,
        rename=dict(rename) if isinstance(rename, Mapping) else {},
    )


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int for number in value)


def _labelled(sources: Sequence[Source], block: Mapping[str, Any]) -> tuple[Sequence[Source], list[Problem]]:
    """The sources with the labels of the config's annotations; if that fails, none is labelled."""
    numbered = [replace(source, number=number) for number, source in enumerate(sources)]
    annotations = block.get("annotations")
    path = Path(annotations) if isinstance(annotations, str) else None
    try:
        labelled, _ = label_sources(numbered, path, label_options(block))
    except GraspError as failure:
        return numbered, _as_findings(failure, "dataset.annotations", "annotations-unusable")
    return labelled, []


def _as_findings(failure: GraspError, where: str, code: str) -> list[Problem]:
    return [
        replace(
            problem,
            code=code,
            place=replace(problem.place, field=": ".join(filter(None, [where, problem.place.field]))),
            hint=problem.hint or "fix it, or use another one",
            excerpt="",
            severity="error" if problem.severity == "error" else "warning",
        )
        for problem in failure.problems
    ]


def _read(where: str, source: Source, options: LabelOptions, built: bool) -> DatasetFacts:
    reader = source.reader
    wanted = [
        name
        for name, feature in source.features.items()
        if is_numeric(feature.dtype) and int(np.prod(feature.shape)) <= _WIDEST
    ]
    episodes = np.asarray(source.episodes, dtype=np.int64)
    reader.require(episodes.tolist(), [key for key in reader.info.video_keys if key in source.features])
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in wanted}
    for batch in reader.read(episodes.tolist(), [source.original[name] for name in wanted]):
        for name in wanted:
            if source.original[name] in batch.table.column_names:
                parts[name].append(_numbers(batch.table[source.original[name]]))
    columns = {name: np.concatenate(rows) for name, rows in parts.items() if rows}
    lengths = np.asarray(reader.lengths, dtype=np.int64)[episodes]
    source = _with_recorded_labels(source)
    rule = source.recorded.rule if source.recorded is not None else None
    if source.labels is not None:
        columns |= labels_of(source, rule, options, lengths, columns)
        columns.pop(layout.SUCCESS, None)  # rewards come from the annotations
        rule = SuccessRule.of_values(LabelValues(options.success_value, options.failure_value))
    return DatasetFacts(
        where=where,
        repo_id=reader.repo_id,
        root=reader.root,
        fps=reader.info.fps,
        version=reader.info.codebase_version,
        total_episodes=len(reader.lengths),
        features=source.features,
        lengths=lengths,
        episodes=episodes,
        columns={name: rows for name, rows in columns.items() if len(rows) == int(lengths.sum())},
        stats=read_object(reader.root / layout.STATS_PATH) or {},
        provenance=read_provenance(reader.root),
        learning=stored_learning(reader.root) or StoredLearning(),
        has_sidecar=has_sidecar(reader.root),
        rule=rule,
        relabelled=source.labels is not None,
        built=built,
    )


def _with_recorded_labels(source: Source) -> Source:
    """The source with its recorded labels, or as it is if the label columns cannot be read."""
    try:
        return with_recorded_labels(source, labelled=False)
    except GraspError:
        return source


def _numbers(column: Any) -> NDArray[np.float64]:
    """A column as float64; columns with nulls or lists of unequal length are left out."""
    try:
        return to_numpy(column).astype(np.float64)
    except ValueError:
        return np.empty((0, 1))


def read_object(path: Path) -> dict[str, Any] | None:
    """A JSON object; None if absent or unreadable."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None

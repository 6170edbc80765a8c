"""Caches datasets that were merged and labelled for the learner, by their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import is_dataset, lerobot_home
from lerobot_grasp_plugin.dataset.recorded_success import read_rule
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, write_learning
from lerobot_grasp_plugin.learning.rl.configs import GraspDatasetConfig
from lerobot_grasp_plugin.merging.annotate import sources_of_headers
from lerobot_grasp_plugin.merging.merge import at_its_place, merge
from lerobot_grasp_plugin.merging.recipe import MergeConfig, SourceConfig
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from lerobot_grasp_plugin.version import VERSION
from lerobot_grasp_plugin.writers.staging import staged

CACHE_FOLDER = "grasp_cache"
DATASET_FOLDER = "dataset"
RECIPE_FILE = "recipe.json"
_FORMAT = 1


@dataclass(frozen=True)
class CachedDataset:
    """A dataset of the cache.

    Attributes:
        repo_id: Its name.
        root: Its folder.
        key: SHA-256, in hexadecimal, of its recipe and of the content of its sources.
        report: What the merge did; None where the dataset was there already.
    """

    repo_id: str
    root: Path
    key: str
    report: MergeReport | None


type Prepare = Callable[[Sequence[Source]], ImagePreprocessing]
"""Says how images of opened sources are to be prepared."""


def cached_dataset(
    config: GraspDatasetConfig, prepare: Prepare, cache_dir: Path | None = None, progress: Progress = silent
) -> CachedDataset:
    """Merges and labels what a dataset block names, unless the same was made before.

    The result lies in ``<cache_dir>/<key>/dataset`` next to ``recipe.json``, which says what the key was
    made of. It appears whole or not at all, sources are only read, and nothing is ever removed.

    Args:
        config: The dataset block.
        prepare: How images are prepared; written into the dataset's sidecar, and part of the key.
        cache_dir: Without a value: LeRobot's home folder / ``grasp_cache``.
        progress: Called with the progress.

    Raises:
        GraspError: With all errors of the block, the sources and the annotations.
    """
    configs = config.source_configs()
    if not configs:
        assert config.annotations is not None
        configs = sources_of_headers(config.annotations, config.index_base)
    sources = open_sources(configs, config.drop_features)
    preprocessing = prepare(sources)
    recipe = _recipe(config, sources, preprocessing)
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    repo_id = _name(config, sources, key)
    folder = (cache_dir or lerobot_home() / CACHE_FOLDER).expanduser() / key
    root = folder / DATASET_FOLDER
    if is_dataset(root):
        return CachedDataset(repo_id, root, key, None)
    merge_config = MergeConfig(
        sources=configs,
        annotations=config.annotations,
        drop_features=config.drop_features,
        robot_type=config.robot_type,
        new_repo_id=repo_id,
        license="unknown",  # it is not published
        **config.label_options(),
    )
    try:
        with staged(folder, wait=True) as staging:
            merge_config.new_root = staging / DATASET_FOLDER
            report = merge(merge_config, progress)
            write_learning(merge_config.new_root, LearningSidecar(preprocessing))
            (staging / RECIPE_FILE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
    except GraspError:
        if not is_dataset(root):  # else another run was faster, and made the same
            raise
        return CachedDataset(repo_id, root, key, None)
    return CachedDataset(repo_id, root, key, at_its_place(report, root))


def _name(config: GraspDatasetConfig, sources: Sequence[Source], key: str) -> str:
    if config.repo_id is not None:
        return config.repo_id
    return sources[0].repo_id if len(sources) == 1 else f"{CACHE_FOLDER}/{key[:12]}"


def _recipe(
    config: GraspDatasetConfig, sources: Sequence[Source], preprocessing: ImagePreprocessing
) -> dict[str, Any]:
    """All that decides the bytes of the result: options, and the content of every file read."""
    return {
        "format": _FORMAT,
        "tool": VERSION,
        "sources": [_source(source, config) for source in sources],
        "labels": config.label_options(),
        "drop_features": config.drop_features,
        "robot_type": config.robot_type,
        "image_preprocessing": preprocessing.to_json(),
    }


def _source(source: Source, config: GraspDatasetConfig) -> dict[str, Any]:
    own: SourceConfig = source.config
    annotations = own.annotations or config.annotations
    return {
        "repo_id": source.repo_id,
        "folder": source.reader.root.name,  # headers of annotation files may be bound by it
        "episodes": [int(episode) for episode in source.episodes],
        **(
            {"frames": {str(episode): ranges for episode, ranges in own.frames.items()}} if own.frames else {}
        ),
        "rename": dict(asdict(own)["rename"]),
        "task": own.task,
        "annotations": None if annotations is None else _digest(annotations),
        "labels_from": [own.labels_from, own.labels_threshold],
        "success": asdict(read_rule(source.reader, source.episodes)),  # of all rows, chosen or not
        "files": _digests(source),
    }


def _digests(source: Source) -> Mapping[str, str]:
    """SHA-256 of each file the chosen episodes are read from, by its path in the dataset."""
    reader = source.reader
    reader.require(source.episodes, reader.info.video_keys)
    return {path.relative_to(reader.root).as_posix(): _digest(path) for path in sorted(set(_files(source)))}


def _files(source: Source) -> Iterator[Path]:
    reader = source.reader
    yield from (path for path in (reader.root / "meta").rglob("*") if path.is_file())
    for batch in reader.read(source.episodes, [layout.EPISODE_INDEX]):
        yield batch.path
    for video_key in reader.info.video_keys:
        for episode in source.episodes:
            yield reader.video_span(episode, video_key).path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""The same done with LeRobotDataset and with GraspDataset, each with a stand-in Hub of its own."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import lerobot.datasets.dataset_metadata as metadata_module
import lerobot.datasets.lerobot_dataset as dataset_module
import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset

from lerobot_grasp_plugin.learning.data.dataset import GraspDataset

CLASSES = (LeRobotDataset, GraspDataset)
STATE = {"observation.state": {"dtype": "float32", "shape": (2,), "names": None}}


class Hub:
    """A stand-in for the Hub: one repository, and what was asked of it.

    Args:
        files: The folder of the repository's files; None for a Hub that cannot be reached.
    """

    def __init__(self, files: Path | None) -> None:
        self.files = files
        self.asked: list[dict[str, Any]] = []

    def versions(self, repo_id: str, version: str, **options: Any) -> str:
        if self.files is None:
            raise ConnectionError("the Hub cannot be reached")
        return version

    def download(self, repo_id: str, **options: Any) -> str:
        if self.files is None:
            raise ConnectionError("the Hub cannot be reached")
        self.asked.append(options)
        target = Path(options.get("local_dir") or options["cache_dir"] / "snapshots")
        for path in sorted(self.files.rglob("*")):
            name = path.relative_to(self.files).as_posix()
            if path.is_file() and _wanted(name, options):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / name)
        return str(target)


def _wanted(name: str, options: dict[str, Any]) -> bool:
    def matches(patterns: Any) -> bool:
        patterns = [patterns] if isinstance(patterns, str) else patterns
        return any(fnmatch(name, f"{pattern}*" if pattern.endswith("/") else pattern) for pattern in patterns)

    allowed, ignored = options.get("allow_patterns"), options.get("ignore_patterns")
    return (allowed is None or matches(map(str, allowed) if isinstance(allowed, list) else allowed)) and not (
        ignored and matches(ignored)
    )


@contextmanager
def connected(hub: Hub, home: Path) -> Iterator[Hub]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (metadata_module, dataset_module):
            patch.setattr(module, "get_safe_version", hub.versions)
            patch.setattr(module, "snapshot_download", hub.download)
            patch.setattr(module, "HF_LEROBOT_HUB_CACHE", home / "hub")
        patch.setattr(metadata_module, "HF_LEROBOT_HOME", home)
        patch.setenv("HF_LEROBOT_HOME", str(home))
        yield hub


def do_with_both(
    folder: Path, action: Callable[[Any, Path], Any], files: Path | None = None
) -> tuple[Any, Any]:
    """Does something with each class, in a folder and with a Hub of its own, and returns what came out.

    What was asked of the Hub is the same with both.
    """
    outcomes: list[Any] = []
    asked = []
    for number, kind in enumerate(CLASSES):
        own = folder / f"with-{number}"
        own.mkdir()
        with connected(Hub(files), own / "home") as hub:
            try:
                outcomes.append(action(kind, own))
            except Exception as error:
                outcomes.append(error)
        asked.append([{name: _comparable(value, own) for name, value in each.items()} for each in hub.asked])
    assert asked[0] == asked[1]
    return outcomes[0], outcomes[1]


def _comparable(value: Any, folder: Path) -> Any:
    """An option without the folder, and without an order where it has none."""
    if isinstance(value, Path):
        return str(value).replace(str(folder), "")
    return sorted(value) if isinstance(value, list) else value


def reading(source: Path, spoil: Callable[[Path], Any] = lambda root: None, **options: Any) -> Any:
    """Copies a dataset, spoils the copy, opens it and reads every item."""

    def action(kind: Any, folder: Path) -> dict[str, Any]:
        root = Path(shutil.copytree(source, folder / "set"))
        spoil(root)
        return contents(kind("lab/set", root, video_backend="pyav", **options))

    return action


def contents(dataset: LeRobotDataset) -> dict[str, Any]:
    return {
        "items": [dataset[index] for index in range(len(dataset))],
        "shuffled": [dataset[index] for index in (len(dataset) - 1, 0, 3)],
        "slice": dataset[1:4],
        "frames": (len(dataset), dataset.num_frames, dataset.num_episodes, dataset.episodes),
        "features": dataset.features,
        "stats": dataset.meta.stats,
        "raw": dataset.get_raw_item(1),
        "columns": dataset.select_columns("index")[:2],
        "relative": dataset.absolute_to_relative_idx,
        "writer": dataset.writer,
        "kept": (dataset.image_transforms, dataset.delta_timestamps, dataset.tolerance_s, dataset.revision),
        "described": repr(dataset).replace("GraspDataset", "LeRobotDataset"),
    }


def assert_alike(plain: Any, made: Any) -> None:
    if isinstance(plain, Exception):
        assert type(made) is type(plain), "".join(traceback.format_exception(made))
        return
    assert not isinstance(made, Exception), "".join(traceback.format_exception(made))
    if isinstance(plain, dict):
        assert list(made) == list(plain)
        for name in plain:
            assert_alike(plain[name], made[name])
    elif isinstance(plain, (list, tuple)):
        assert type(made) is type(plain)
        assert len(made) == len(plain)
        for one, other in zip(plain, made, strict=True):
            assert_alike(one, other)
    elif isinstance(plain, torch.Tensor):
        assert made.dtype == plain.dtype
        assert torch.equal(made, plain)
    elif isinstance(plain, np.ndarray):
        np.testing.assert_array_equal(made, plain)
    else:
        assert made == plain

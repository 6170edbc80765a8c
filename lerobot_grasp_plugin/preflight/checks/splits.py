"""Checks the train and validation splits stored with a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import several
from lerobot_grasp_plugin.preflight.classifier_facts import RECORD
from lerobot_grasp_plugin.preflight.facts import Facts

_CHANGE = "split by episode, with lerobot_grasp_plugin.learning.data.splits"


def check_splits(facts: Facts) -> Iterator[Problem]:
    """Checks that an episode is in one split only, and that splits list episodes, not frames."""
    for dataset in facts.datasets:
        path = dataset.root / layout.LEARNING_PATH
        yield from _parts(dataset.learning.splits, path, dataset.total_episodes)
    if facts.classifier is not None:
        yield from _parts(facts.classifier.splits, facts.classifier.root / RECORD, None)


def _parts(splits: Any, path: Path, total: int | None) -> Iterator[Problem]:
    parts = splits.get("parts") if isinstance(splits, Mapping) else None
    if not isinstance(parts, Mapping):
        return
    seen: dict[int, str] = {}
    shared: set[int] = set()
    for name, episodes in parts.items():
        for episode in episodes if isinstance(episodes, list) else ():
            if isinstance(episode, int) and seen.setdefault(episode, name) != name:
                shared.add(episode)
    if shared:
        message = f"{several(sorted(shared), 'episode')} is in two splits: neighbouring frames on both sides "
        message += "make validation look better than it is"
        yield Problem("split-by-frame", message, path, _CHANGE)
    beyond = [] if total is None else sorted(number for number in seen if number >= total)
    if beyond and total is not None:
        message = (
            f"{several(beyond, 'entry')} is past the last episode ({total - 1}); the entries look like frames"
        )
        yield Problem("split-by-frame", message, path, _CHANGE)

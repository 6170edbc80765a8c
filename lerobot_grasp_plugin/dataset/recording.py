"""Reads ``meta/grasp_recording.json``: how each episode was recorded and marked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.core.labels import LabelValues
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.json_entry import LATER
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem

FORMAT: Final = 1


@dataclass(frozen=True)
class RecordingSidecar:
    """A recording sidecar, as far as it can be read.

    Attributes:
        raw: The object of the file; empty without one.
        problems: Why the file cannot be read.
    """

    raw: dict[str, Any]
    problems: Sequence[Problem] = ()

    @classmethod
    def new(cls, labels: Mapping[str, Any]) -> RecordingSidecar:
        """A sidecar without episodes; ``labels`` says how marks become labels."""
        return cls({"format": FORMAT, "index_base": 0, "labels": labels, "episodes": {}})

    @property
    def is_whole(self) -> bool:
        """Whether it has entries of episodes."""
        return isinstance(self.raw.get("episodes"), dict)

    @property
    def episodes(self) -> dict[str, Any]:
        """The entry of each episode, by ``episode_index`` as text."""
        return self.raw["episodes"] if self.is_whole else {}

    def entry(self, episode: int) -> Mapping[str, Any] | None:
        """The entry of an episode; None without one."""
        entry = self.episodes.get(str(episode))
        return entry if isinstance(entry, Mapping) else None

    @property
    def has_edits(self) -> bool:
        """Whether episodes are to be replaced, deleted or inserted by the session that recorded them."""
        return bool(self.raw.get("edits"))

    @property
    def values(self) -> LabelValues | None:
        """The rewards of success and failure frames."""
        return LabelValues.of(self.raw.get("labels"))

    @property
    def environments(self) -> list[Mapping[str, Any]]:
        """The settings that LeRobot's environment noted, of each source of a merge."""
        several = self.raw.get("environments")
        noted = [self.raw.get("environment"), *(several if isinstance(several, list) else ())]
        return [each for each in noted if isinstance(each, Mapping)]

    def encoded(self) -> bytes:
        """The content of the file."""
        return (json.dumps(self.raw, indent=2) + "\n").encode()


def read_recording(root: Path) -> RecordingSidecar | None:
    """The recording sidecar of a dataset; None without one."""
    path = root / layout.RECORDING_PATH
    if not path.is_file():
        return None
    try:
        raw = read_json(path)
    except DatasetError as error:
        return RecordingSidecar({}, error.problems)
    known = raw if isinstance(raw, dict) else {}
    if known.get("format", FORMAT) != FORMAT:
        message = f"not a recording sidecar of format {FORMAT}"
        return RecordingSidecar({}, [Problem("bad-sidecar", message, path, LATER)])
    return RecordingSidecar(known)


def pending_edits(root: Path) -> Iterator[Problem]:
    """Finds a dataset whose recording was interrupted before its edits were applied."""
    sidecar = read_recording(root)
    if sidecar is not None and sidecar.has_edits:
        message = "edits of episodes (replace, delete, insert) were not applied"
        hint = "lerobot-grasp-record --resume=true applies them before it records"
        yield Problem("pending-edits", message, root / layout.RECORDING_PATH, hint)

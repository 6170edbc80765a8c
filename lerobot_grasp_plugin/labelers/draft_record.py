"""Reads and writes the file next to a draft: curves, and questions and answers of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.findings.problem import DataError, Problem
from lerobot_grasp_plugin.labelers.labeler import Proposal

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class DraftEntry:
    """The record of one episode; ``Proposal`` explains the attributes."""

    reason: str
    confidence: float | None
    curve: NDArray[np.floating[Any]] | None


def record_path(draft: Path) -> Path:
    """``draft.proposals.json`` next to ``draft.txt``."""
    return draft.with_name(f"{draft.stem}.proposals.json")


def record_text(proposals: Mapping[int, Proposal], origin: str) -> str | None:
    """The content of the file; None if the draft contains everything.

    Args:
        proposals: By ``episode_index``.
        origin: The labeler and its settings.
    """
    if not any(each.record or each.curve is not None for each in proposals.values()):
        return None
    episodes = {
        str(index): {
            "reason": each.reason,
            "confidence": each.confidence,
            "curve": None if each.curve is None else [round(float(value), 4) for value in each.curve],
            "record": dict(each.record),
        }
        for index, each in proposals.items()
    }
    content = {"format": _FORMAT, "labeler": origin, "episodes": episodes}
    return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"


def read_draft_record(draft: Path) -> dict[int, DraftEntry]:
    """The records next to a draft, by ``episode_index``; empty without the file.

    Raises:
        DataError: The file cannot be read (``bad-proposals``).
    """
    path = record_path(draft)
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']!r}, not {_FORMAT}")
        return {int(index): _entry(entry) for index, entry in content["episodes"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        message = f"cannot be read: {type(error).__name__}: {error}"
        hint = "remove it, or write the draft again; the draft can be used without it"
        raise DataError(Problem("bad-proposals", message, path, hint)) from None


def _entry(entry: Mapping[str, Any]) -> DraftEntry:
    curve, confidence = entry["curve"], entry["confidence"]
    return DraftEntry(
        str(entry["reason"]),
        None if confidence is None else float(confidence),
        None if curve is None else np.array([float(value) for value in curve]),
    )

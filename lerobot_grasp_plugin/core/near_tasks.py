"""Finds tasks that are one sentence in two spellings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def near_tasks(tasks: Iterable[str]) -> list[Sequence[str]]:
    """Groups of tasks that differ only in case, white space, punctuation at the end, or Unicode form.

    Args:
        tasks: Sentences.

    Returns:
        Each group in the order of ``tasks``; groups of one are left out.
    """
    groups: dict[str, list[str]] = {}
    for task in dict.fromkeys(tasks):
        groups.setdefault(_plain(task), []).append(task)
    return [group for group in groups.values() if len(group) > 1]


def _plain(task: str) -> str:
    words = " ".join(unicodedata.normalize("NFKC", task).casefold().split())
    while words and (unicodedata.category(words[-1])[0] == "P" or words[-1].isspace()):
        words = words[:-1]
    return words

"""Asks the person after each episode."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import AnnotationError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.recording.edits import Do, Edit
from lerobot_grasp_plugin.recording.recorder import Attempt
from lerobot_grasp_plugin.recording.records import label_text, parse_ranges

if TYPE_CHECKING:
    from lerobot_grasp_plugin.recording.store import RecordingStore

QUESTION = "[Enter] accept, or ranges (34-40, 60-), r re-record, d discard, q accept and quit, ? for more > "
_MORE = """\
  t          uses the suggestion of a hook (t 2: of the second one)
  3: 40-48   corrects the labels of episode 3
  r 3        the next accepted episode replaces episode 3
  i 3        the next accepted episode goes before episode 3
  d 3        deletes episode 3
Earlier episodes change when the session ends; until then all episodes keep their numbers."""
_EARLIER = re.compile(r"(\d+)\s*:\s*(.+)")
_EDIT = re.compile(r"([rid])\s*(\d+)")
_TAKE = re.compile(r"t\s*(\d*)")
_DO: dict[str, Do] = {"r": "replace", "i": "insert", "d": "delete"}


@dataclass(frozen=True)
class Verdict:
    """The decision about an attempt.

    Attributes:
        keep: Whether to save it.
        success: Its success frames; None for the marked ones.
        quit: Whether to end the session.
        counts: Number of requested episodes that a discarded attempt uses up.
    """

    keep: bool
    success: IntervalSet | None = None
    quit: bool = False
    counts: int = 0


def ask_about(
    ask: Callable[[str], str | None], show: Callable[[str], None], store: RecordingStore, attempt: Attempt
) -> Verdict:
    """Asks until the person accepts, corrects or discards the episode.

    Labels of earlier episodes, and their order, follow when the session ends.
    """
    success = attempt.success
    while True:
        answer = ask(QUESTION)
        if answer in (None, "", "a", "q"):
            return Verdict(keep=True, success=success, quit=answer == "q")
        if answer in ("r", "d"):
            return Verdict(keep=False, counts=int(answer == "d"))
        assert answer is not None
        if answer == "?":
            show(_MORE)
            continue
        if edit := _EDIT.fullmatch(answer):
            do, number = _DO[edit[1]], int(edit[2])
            refused = store.edit(do, number)
            show(refused or f"{Edit(do, number)}, when the session ends.".capitalize())
            continue
        if take := _TAKE.fullmatch(answer):
            success = _taken(attempt, int(take[1] or 1), success, show)
            continue
        earlier = _EARLIER.fullmatch(answer)
        try:
            if earlier is not None and int(earlier[1]) != store.episodes:
                _correct(store, int(earlier[1]), earlier[2], show)
                continue
            text = earlier[2] if earlier is not None else answer.removeprefix("e ")
            success = parse_ranges(text, store.episodes, attempt.length)
            show(f"Episode {store.episodes}: {label_text(success, attempt.length)}")
        except AnnotationError as error:
            show(str(error))


def _taken(attempt: Attempt, number: int, success: IntervalSet, show: Callable[[str], None]) -> IntervalSet:
    """A hook's suggestion, by its number from 1; the current labels if it does not exist."""
    suggestions = list(attempt.suggestions.values())
    if not 1 <= number <= len(suggestions):
        show(f"There {'is' if len(suggestions) == 1 else 'are'} {count(len(suggestions), 'suggestion')}.")
        return success
    show(f"This episode: {label_text(suggestions[number - 1], attempt.length)}")
    return suggestions[number - 1]


def _correct(store: RecordingStore, episode: int, text: str, show: Callable[[str], None]) -> None:
    lengths = store.lengths()
    if episode >= len(lengths):
        show(f"Episode {episode} does not exist; the last saved one is {len(lengths) - 1}.")
        return
    success = parse_ranges(text, episode, lengths[episode])
    if store.annotations.put(episode, success, lengths[episode]):
        show(f"Episode {episode}: {label_text(success, lengths[episode])}, applied after the session")

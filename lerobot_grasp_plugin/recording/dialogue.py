"""What the person decides after each episode."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import AnnotationError
from lerobot_grasp_plugin.recording.recorder import Attempt
from lerobot_grasp_plugin.recording.records import parse_ranges, told

if TYPE_CHECKING:
    from lerobot_grasp_plugin.recording.store import RecordingStore

QUESTION = "[Enter] accept, or ranges (34-40, 60-), r re-record, d discard, q accept and quit, NN: ranges > "
_EARLIER = re.compile(r"(\d+)\s*:\s*(.+)")


@dataclass(frozen=True)
class Verdict:
    """What becomes of an attempt.

    Attributes:
        keep: Whether it is saved.
        success: Its success frames; None for those that were marked.
        quit: Whether the session ends.
        counts: How many of the wanted episodes are used up by an attempt that is not kept.
    """

    keep: bool
    success: IntervalSet | None = None
    quit: bool = False
    counts: int = 0


def ask_about(
    ask: Callable[[str], str | None], show: Callable[[str], None], store: RecordingStore, attempt: Attempt
) -> Verdict:
    """Asks until the person has accepted, corrected or given up the episode.

    ``NN: ranges`` corrects the annotation of an earlier episode; its labels follow when the session
    ends.
    """
    success = attempt.success
    while True:
        answer = ask(QUESTION)
        if answer in (None, "", "a", "q"):
            return Verdict(keep=True, success=success, quit=answer == "q")
        if answer in ("r", "d"):
            return Verdict(keep=False, counts=int(answer == "d"))
        assert answer is not None
        earlier = _EARLIER.fullmatch(answer)
        try:
            if earlier is not None and int(earlier[1]) != store.episodes:
                _correct(store, int(earlier[1]), earlier[2], show)
                continue
            text = earlier[2] if earlier is not None else answer.removeprefix("e ")
            success = parse_ranges(text, store.episodes, attempt.length)
            show(f"Episode {store.episodes}: {told(success, attempt.length)}")
        except AnnotationError as error:
            show(str(error))


def _correct(store: RecordingStore, episode: int, text: str, show: Callable[[str], None]) -> None:
    lengths = store.lengths()
    if episode >= len(lengths):
        show(f"There is no episode {episode}; the last one saved is {len(lengths) - 1}.")
        return
    success = parse_ranges(text, episode, lengths[episode])
    if store.annotations.put(episode, success, lengths[episode]):
        show(f"Episode {episode}: {told(success, lengths[episode])}, applied after the session")

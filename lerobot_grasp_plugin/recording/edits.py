"""Edits of earlier episodes (replace, delete, insert), applied when the session ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import DatasetError, Problem

Do = Literal["replace", "delete", "insert"]


@dataclass(frozen=True)
class Edit:
    """One edit of the recorded episodes.

    Attributes:
        do: ``replace``: another episode takes the place of this one. ``insert``: another episode goes
            before it.
        episode: The earlier episode, by the ``episode_index`` it was recorded with.
        by: The other episode; None until it is recorded, and for ``delete``.
    """

    do: Do
    episode: int
    by: int | None = None

    @property
    def waits(self) -> bool:
        """Whether this edit waits for the next accepted episode."""
        return self.do != "delete" and self.by is None

    def __str__(self) -> str:
        """The edit as a sentence."""
        other = "the next accepted episode" if self.by is None else f"episode {self.by}"
        return {
            "delete": f"episode {self.episode} is deleted",
            "replace": f"episode {self.episode} is replaced by {other}",
            "insert": f"{other} goes before episode {self.episode}",
        }[self.do]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"do": self.do, "episode": self.episode, "by": self.by}


class Edits:
    """The edits of a recording, in the order they were made.

    Args:
        edits: The existing edits.
    """

    def __init__(self, edits: Sequence[Edit] = ()) -> None:
        self._edits = list(edits)
        self._claimed: Edit | None = None

    @classmethod
    def from_sidecar(cls, raw: Mapping[str, Any]) -> Edits:
        """The edits in ``meta/grasp_recording.json``.

        Raises:
            DatasetError: They cannot be read.
        """
        try:
            known = [Edit(one["do"], one["episode"], one["by"]) for one in raw.get("edits", [])]
            if not all(
                edit.do in get_args(Do) and isinstance(edit.episode, int) and isinstance(edit.by, int | None)
                for edit in known
            ):
                raise ValueError
        except (TypeError, ValueError, KeyError):
            message = "`edits` is not a list of objects with do, episode and by"
            raise DatasetError(Problem("bad-sidecar", message, layout.RECORDING_PATH)) from None
        return cls(known)

    def to_json(self) -> list[dict[str, Any]]:
        """As JSON values, for the sidecar."""
        return [edit.to_json() for edit in self._edits]

    @property
    def settled(self) -> list[Edit]:
        """The edits for which every episode is recorded."""
        return [edit for edit in self._edits if not edit.waits]

    @property
    def waiting(self) -> list[Edit]:
        """The edits that wait for an episode."""
        return [edit for edit in self._edits if edit.waits]

    def order(self, total: int) -> list[int]:
        """The episodes in their new order, by the numbers they were recorded with.

        Args:
            total: Number of recorded episodes.
        """
        order = list(range(total))
        for edit in self.settled:
            if edit.by is not None:
                order.remove(edit.by)
                order.insert(order.index(edit.episode), edit.by)
            if edit.do != "insert":
                order.remove(edit.episode)
        return order

    def add(self, do: Do, episode: int, total: int) -> str | None:
        """Adds an edit.

        Args:
            do: The kind of edit.
            episode: The earlier episode.
            total: Number of recorded episodes.

        Returns:
            Why it is not possible; None if it was added.
        """
        if episode >= total:
            return f"episode {episode} is not saved yet; the last saved one is {total - 1}"
        order = self.order(total)
        gone = [edit for edit in self._edits if edit.do != "insert" and edit.episode == episode]
        if gone:
            return f"{gone[0]} already"
        if do == "delete" and len(order) == 1:
            return "it is the only episode; use r to record it again"
        self._edits.append(Edit(do, episode))
        return None

    def claim(self) -> Edit | None:
        """The edit that the next attempt is for; None if none waits."""
        self._claimed = next(iter(self.waiting), None)
        return self._claimed

    def recorded(self, episode: int) -> None:
        """Notes that the attempt is saved as an episode."""
        if self._claimed in self._edits:
            self._edits[self._edits.index(self._claimed)] = replace(self._claimed, by=episode)
        self._claimed = None

    def lapse(self) -> list[Edit]:
        """Drops the edits that wait for an episode; returns them."""
        lapsed, self._edits = self.waiting, self.settled
        return lapsed

    def taken_back(self, episode: int) -> None:
        """Notes that an episode is removed: its edit waits for another one."""
        self._edits = [
            replace(edit, by=None) if edit.by == episode else edit
            for edit in self._edits
            if edit.episode != episode
        ]

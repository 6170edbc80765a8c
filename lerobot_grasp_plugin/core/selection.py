"""Parses a selection of episodes: ``"0-14, !7"`` to episode indices, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lerobot_grasp_plugin.core.grammar_ranges import bounded_int
from lerobot_grasp_plugin.core.source_text import Source, Span
from lerobot_grasp_plugin.findings.problem import Problem, UsageError

_TOKEN = re.compile(r"([0-9]+)(?:\s*(-)(?:\s*([0-9]+))?)?")
_HINT = 'expected episodes such as "0-14", "2, 7, 8", "3-", "!19, 23", "all"'


def select_episodes(
    selection: str | Sequence[int] | None, total: int, *, name: str = "episodes"
) -> tuple[int, ...]:
    """Resolve a selection of episodes.

    Args:
        selection: 0-based ``episode_index`` values: a list, or a string of single episodes and
            inclusive ranges with commas between them; ``3-`` goes to the last. Episodes after a
            ``!`` are left out, up to the end of the string; without episodes before it, out of
            all. None or ``all`` selects all.
        total: Number of episodes.
        name: The selection's name in messages.

    Returns:
        The selected indices in the order asked for, none twice and at least one.

    Raises:
        UsageError: With all errors: an unknown token, a reversed range, an episode
            that does not exist or is listed twice, an exclusion of what is not selected, or
            nothing left.
    """
    if selection is None:
        selection = "all"
    if not isinstance(selection, str):
        selection = "[" + ", ".join(map(str, selection)) + "]"
    reader = _Reader(Source(name, re.sub(r"[\r\n]", " ", selection)), total)
    reader.read()
    if not reader.problems and not reader.selected.keys() - reader.excluded.keys():
        place = reader.source.place(0, max(1, len(reader.source.text)))
        reader.fail("empty-selection", f"none of the {total} episodes is selected", place, _HINT)
    if reader.problems:
        raise UsageError(reader.problems)
    return tuple(index for index in reader.selected if index not in reader.excluded)


def without_episodes(
    selection: str | list[int] | None, excluded: Sequence[int] | None
) -> str | list[int] | None:
    """A selection for ``select_episodes`` that leaves further episodes out.

    Args:
        selection: As ``select_episodes`` takes it.
        excluded: 0-based ``episode_index`` values to leave out; None or empty for none.
    """
    if not excluded:
        return selection
    if selection is None:
        selection = "all"
    if not isinstance(selection, str):
        selection = ", ".join(map(str, selection))
    listed = selection.strip().removeprefix("[").removesuffix("]")
    return f"{listed}, !{', '.join(map(str, excluded))}"


@dataclass(slots=True)
class _Reader:
    source: Source
    total: int
    problems: list[Problem] = field(default_factory=list)
    selected: dict[int, Span] = field(default_factory=dict)
    excluded: dict[int, Span] = field(default_factory=dict)

    def fail(self, code: str, message: str, place: Span, hint: str = "") -> None:
        self.problems.append(place.problem(code, message, hint))

    def read(self) -> None:
        text = self.source.text
        offset = len(text) - len(text.lstrip())
        body = text.strip()
        if body.startswith("[") and body.endswith("]"):
            offset, body = offset + 1, body[1:-1]
        if not body.strip():
            return
        is_excluding = False
        for word in body.split(","):
            start = offset + len(word) - len(word.lstrip())
            offset += len(word) + 1
            token = word.strip()
            if token.startswith("!"):
                if not is_excluding and not self.selected and not self.problems:
                    self.selected = dict.fromkeys(range(self.total), self.source.place(start, start + 1))
                is_excluding = True
                start += len(token) - len(token[1:].lstrip())
                token = token[1:].lstrip()
            self._token(token, self.source.place(start, start + max(1, len(token))), is_excluding)
        if not self.problems:
            for index, place in self.excluded.items():
                if index not in self.selected:
                    message = f"episode {index} is excluded, but was not selected"
                    self.fail("excluded-not-selected", message, place, "remove the exclusion")

    def _token(self, token: str, place: Span, is_excluding: bool) -> None:
        match = _TOKEN.fullmatch(token)
        if token.lower() == "all" and not is_excluding:
            self._add(range(self.total), place, self.selected)
        elif not match:
            if re.match("-[0-9]", token):
                self._out_of_range(token, place)
            else:
                self.fail("unknown-token", f"{place.text!r} is not an episode or a range", place, _HINT)
        else:
            first = bounded_int(match[1])
            last = bounded_int(match[3]) if match[3] else self.total - 1 if match[2] else first
            if match[3] and last < first:
                hint = f"write {last}-{first}; for reverse order, list the episodes one by one"
                self.fail("reversed-range", f"range {place.text} ends before it begins", place, hint)
            elif max(first, last) >= self.total:
                self._out_of_range(place.text, place)
            else:
                self._add(range(first, last + 1), place, self.excluded if is_excluding else self.selected)

    def _out_of_range(self, text: str, place: Span) -> None:
        are = f"the dataset has {self.total} episodes" if self.total != 1 else "the dataset has one episode"
        span = f", 0 to {self.total - 1}" if self.total > 1 else ", 0" if self.total else ""
        self.fail("unknown-episode", f"{text} is out of range: {are}{span}", place, "episodes count from 0")

    def _add(self, indices: range, place: Span, into: dict[int, Span]) -> None:
        twice = [index for index in indices if index in into]
        if twice:
            more = f" (and {len(twice) - 1} more)" if len(twice) > 1 else ""
            message = f"episode {twice[0]}{more} is listed twice, first in {into[twice[0]].text!r}"
            self.fail("listed-twice", message, place, "list every episode once")
        for index in indices:
            into.setdefault(index, place)

"""Reads the JSON forms of annotations.

An object per dataset, with its episodes as keys, flat or under ``episodes``::

    {"dataset_path": "~/data/so101_v1", "index_base": 1,
     "0": {"success_start": 34}, "1": {"success_start": 40, "success_end": 48},
     "2": {"ranges": [[40, 48], [60, null]]}, "3": null}

Several datasets are a list of such objects, or an object with that list under ``datasets``. Ends
are inclusive; null, or no end, leaves a range open. The index base must be stated, or given.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace

from lerobot_grasp_plugin.core.annotations import (
    Annotations,
    AnnotationSection,
    EpisodeAnnotation,
    IndexBase,
    dataset_fault,
)
from lerobot_grasp_plugin.core.grammar_comments import IsDataset, no_dataset
from lerobot_grasp_plugin.core.grammar_ranges import (
    ListedEpisodes,
    WrittenRange,
    bounded_int,
    check_not_empty,
    check_number,
    format_range,
    to_interval,
    to_intervals,
)
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.json_ranges import note_wrong, read_frame, read_ranges
from lerobot_grasp_plugin.core.json_text import JsonValue, read_value
from lerobot_grasp_plugin.core.said_counting import INDEX_BASE, check_said_counting
from lerobot_grasp_plugin.core.source_text import UNPRINTABLE, Findings, Source, Span

_REMARKS = ("comment", "note", "description")
_DATASET = ("dataset_path", "dataset", "repo_id")
_TOP = ("datasets", "index_base", *_REMARKS)
_SECTION = (*_DATASET, "index_base", "episodes", *_REMARKS)
_EPISODE = ("success_start", "success_end", "ranges", "success_ranges", "exclude", *_REMARKS)

_EPISODE_HINT = 'expected null, {"success_start": 34} or {"ranges": [[40, 48], [60, null]]}'
_LEAVE_OUT = 'to leave episodes out, use `episodes` of a merge source, e.g. "!7"'


@dataclass(frozen=True, slots=True)
class _Member:
    key: JsonValue
    value: JsonValue
    path: str


@dataclass(frozen=True, slots=True)
class _Members:
    """The members of an object: those with a known name, and those that number an episode."""

    named: dict[str, _Member]
    episodes: list[_Member]


def parse_json_form(
    source: Source, index_base: IndexBase | None, findings: Findings, is_dataset: IsDataset = no_dataset
) -> Annotations:
    """Read a whole JSON file, whose datasets all have a key; errors go to ``findings``.

    Raises:
        AnnotationError: The file is not JSON.
    """
    del is_dataset
    return _Reader(source, index_base, findings).read()


class _Reader:
    def __init__(self, source: Source, index_base: IndexBase | None, findings: Findings) -> None:
        self.source = source
        self.asked = index_base
        self.stated: IndexBase | None = None
        self.has_base = False
        self.base: IndexBase = 0
        self.findings = findings
        self.listed = ListedEpisodes()
        self.remarks: list[tuple[str, Span]] = []

    def read(self) -> Annotations:
        root = read_value(self.source, self.findings)
        top, parts = self._parts(root)
        members = [(part, self._members(part, path, _SECTION, is_section=True)) for part, path in parts]
        for named in (top, *(found.named for _, found in members)):
            self._state_base(named.get("index_base"))
        if not self.has_base and self.asked is None:
            hint = 'add "index_base": 1 to the file if frames count from 1, 0 if from 0'
            self.findings.error("index-base-missing", "the index base is missing", root.place, hint)
        stated = self.stated if self.stated is not None else self.asked
        self.base = 0 if stated is None else stated
        above = self._remark_lines(top)
        sections = []
        for part, found in members:
            section = self._section(part, found, above, is_only=len(members) == 1)
            if section is not None:
                sections.append(section)
                above = ("",)
        for text, place in self.remarks:
            check_said_counting(text, self.base, place, self.findings, is_stated=True)
        annotations = Annotations(tuple(sections), self.base, self.source.name)
        check_not_empty(
            annotations, root.place, self.findings, '{"index_base": 1, "0": {"success_start": 34}}'
        )
        return annotations

    def _parts(self, root: JsonValue) -> tuple[dict[str, _Member], list[tuple[JsonValue, str]]]:
        """The members around the datasets, and the object of every dataset with its path."""
        top: dict[str, _Member] = {}
        listing, path = root, ""
        if root.kind == "object":
            if not any(key.text == "datasets" for key, _ in root.members):
                return top, [(root, "")]
            top = self._members(root, "", _TOP).named
            listing, path = top["datasets"].value, "datasets"
        if listing.kind != "array":
            expected = "a list of objects, one for each dataset"
            note_wrong(self.findings, listing, path, expected, code="wrong-structure")
            return top, []
        parts = []
        for i, item in enumerate(listing.items):
            if item.kind == "object":
                parts.append((item, f"{path}[{i}]"))
            else:
                expected = "an object with the episodes of a dataset"
                note_wrong(self.findings, item, f"{path}[{i}]", expected, code="wrong-structure")
        return top, parts

    def _members(
        self, value: JsonValue, path: str, known: tuple[str, ...], *, is_section: bool = False
    ) -> _Members:
        """Sort the members of an object; duplicate and unknown keys are reported and left out."""
        found: dict[str, _Member] = {}
        episodes: list[_Member] = []
        for key, item in value.members:
            here = f"{path}.{key.text}" if path else key.text
            is_episode = is_section and re.fullmatch("-?[0-9]+", key.text)
            if is_episode:
                here = f'{path}."{key.place.text[1:-1]}"'.lstrip(".")
                # Duplicates are found by number: "7" and "07" are the same episode.
                episodes.append(_Member(key, item, here))
            elif key.text == "exclude" and "exclude" not in known:
                message = "`exclude` is only valid inside an episode"
                self.findings.error("exclude-misplaced", message, key.place, _LEAVE_OUT)
            elif key.text not in known:
                numbers = ('episode numbers such as "7"',) if is_section else ()
                hint = f"known here: {', '.join((*known, *numbers))}"
                self.findings.error("unknown-key", f"unknown key {key.place.text}", key.place, hint)
            elif key.text in found:
                message = f"key {key.place.text} occurs twice"
                self.findings.error("duplicate-key", message, key.place, "keep one of the two")
            else:
                found[key.text] = _Member(key, item, here)
        return _Members(found, episodes)

    def _state_base(self, member: _Member | None) -> None:
        if member is None:
            return
        self.has_base = True
        value = member.value
        if value.kind != "integer" or value.number not in (0, 1):
            message = f"index base {value.place.text} is neither 0 nor 1"
            self.findings.error(
                "index-base-unknown", message, value.place, "it is the number of the first frame"
            )
            return
        base: IndexBase = 0 if value.number == 0 else 1
        if self.stated is not None and self.stated != base:
            message = f"index base {base} contradicts the earlier {self.stated}"
            hint = "a file has one index base"
            self.findings.error("index-base-contradiction", message, value.place, hint)
        elif self.asked is not None and self.asked != base:
            message = f"the file states index base {base}, but the option says {self.asked}"
            hint = "omit the option, or correct the file"
            self.findings.error("index-base-contradiction", message, value.place, hint)
        self.stated = base if self.stated is None else self.stated

    def _section(
        self, part: JsonValue, found: _Members, above: tuple[str, ...], *, is_only: bool
    ) -> AnnotationSection | None:
        dataset = self._dataset(found.named)
        if dataset is None and not is_only:
            hint = f"give each a {', '.join(_DATASET[:-1])} or {_DATASET[-1]}"
            message = "the file has several datasets, but this one has no name"
            self.findings.error("missing-dataset", message, part.place, hint)
            return None
        members = list(found.episodes)
        if nested := found.named.get("episodes"):
            if nested.value.kind == "object":
                members += self._members(nested.value, nested.path, (), is_section=True).episodes
            else:
                expected = "an object with episode numbers as keys"
                note_wrong(self.findings, nested.value, nested.path, expected, code="wrong-structure")
        episodes = [item for item in (self._listed(member, dataset) for member in members) if item]
        above += self._remark_lines(found.named)
        if not members:
            name = dataset if dataset is not None else "this object"
            self.findings.warn("empty-section", f"no episodes are listed for {name}", part.place)
        if dataset is not None:
            return AnnotationSection(dataset, tuple(episodes), before=above, line=part.place.line)
        if episodes:
            first = episodes[0]
            episodes[0] = replace(first, before=above)
        return AnnotationSection(None, tuple(episodes))

    def _dataset(self, found: dict[str, _Member]) -> str | None:
        named = [found[key] for key in _DATASET if key in found]
        for other in named[1:]:
            message = f"the dataset is named twice, by {named[0].path} and {other.path}"
            self.findings.error("duplicate-key", message, other.key.place, "keep one of the two")
        if not named:
            return None
        value = named[0].value
        if value.kind != "string":
            expected = "a path, a repo_id or a name"
            note_wrong(self.findings, value, named[0].path, expected, code="missing-dataset")
        elif fault := dataset_fault(value.text):
            self.findings.error("missing-dataset", f"{named[0].path} {fault}", value.place)
        else:
            return value.text
        return f"(unnamed, line {value.place.line}, column {value.place.column})"

    def _listed(self, member: _Member, dataset: str | None) -> EpisodeAnnotation | None:
        index = bounded_int(member.key.text)
        if not check_number(index, "episode", member.key.place, self.findings):
            return None
        is_new = self.listed.add(dataset, index, member.key.place, self.findings)
        episode = self._episode(index, member)
        return episode if is_new else None

    def _episode(self, index: int, member: _Member) -> EpisodeAnnotation | None:
        value, line = member.value, member.key.place.line
        if value.kind == "null":
            return EpisodeAnnotation(index, (), line=line)
        if value.kind != "object":
            note_wrong(self.findings, value, member.path, _EPISODE_HINT.removeprefix("expected "))
            return None
        found = self._members(value, member.path, _EPISODE).named
        ranges, places = self._ranges(found, member, value)
        excluded: tuple[tuple[FrameInterval, Span], ...] = ()
        if "exclude" in found:
            ranges, places, excluded = self._excluded(found["exclude"], ranges, places)
        comment = "; ".join(self._remark(found[key]) for key in _REMARKS if key in found).strip("; ")
        if INDEX_BASE.match(comment):
            hint = 'state it once, as "index_base", next to the episodes'
            message = "the index base is stated in a comment"
            self.findings.error("index-base-misplaced", message, member.key.place, hint)
            comment = ""
        return EpisodeAnnotation(index, ranges, comment or None, line=line, places=places, excluded=excluded)

    def _ranges(
        self, found: dict[str, _Member], member: _Member, value: JsonValue
    ) -> tuple[tuple[FrameInterval, ...], tuple[Span, ...]]:
        forms = [found[key] for key in ("success_start", "ranges", "success_ranges") if key in found]
        for other in forms[1:]:
            message = f"{other.path} cannot be combined with {forms[0].key.text}"
            self.findings.error("conflicting-keys", message, other.key.place, "keep one of the two")
        end = found.get("success_end")
        if end and "success_start" not in found:
            message = f"{end.path} has no success_start"
            self.findings.error("missing-ranges", message, end.key.place, _EPISODE_HINT)
        if not forms:
            if not end:
                message = f"{member.path} has no success ranges"
                self.findings.error("missing-ranges", message, value.place, _EPISODE_HINT)
            return (), ()
        if "success_start" not in found:
            return to_intervals(
                read_ranges(forms[0].value, forms[0].path, self.source, self.findings),
                self.base,
                self.findings,
            )
        first = read_frame(
            forms[0].value, forms[0].path, self.findings, "use null for an episode that is all failure"
        )
        is_open = end is None or end.value.kind == "null"
        last = (
            None
            if end is None or is_open
            else read_frame(end.value, end.path, self.findings, "null leaves the end open")
        )
        if first is None or (last is None and not is_open):
            return (), ()
        return to_intervals([WrittenRange(first, last, forms[0].value.place)], self.base, self.findings)

    def _excluded(
        self, member: _Member, ranges: tuple[FrameInterval, ...], places: tuple[Span, ...]
    ) -> tuple[tuple[FrameInterval, ...], tuple[Span, ...], tuple[tuple[FrameInterval, Span], ...]]:
        written = read_ranges(member.value, member.path, self.source, self.findings, singles=True)
        intervals = [(to_interval(item, self.base, self.findings), item.place) for item in written]
        excluded = tuple((item, place) for item, place in intervals if item is not None)
        if not excluded:
            return ranges, places, ()
        left = IntervalSet(ranges).difference(IntervalSet(item for item, _ in excluded))
        frames = ", ".join(format_range(item, self.base) for item, _ in excluded)
        message = f"{member.path}: frames {frames} ({self.base}-indexed) count as failure"
        hint = "they stay in the dataset; instead of `exclude`, write the success ranges without them"
        if left == IntervalSet(ranges):
            message += ", as they would without `exclude`: they are in no success range"
            hint = "check the frame numbers"
        self.findings.warn("exclude-counts-as-failure", message, member.key.place, hint)
        origins = sorted(zip(ranges, places, strict=True), key=lambda pair: pair[0].start)
        starts = [interval.start for interval, _ in origins]
        rest = tuple(origins[bisect_right(starts, item.start) - 1][1] for item in left)
        return left.intervals, rest, excluded

    def _remark(self, member: _Member) -> str:
        if member.value.kind != "string":
            note_wrong(self.findings, member.value, member.path, "a string")
            return ""
        text = " ".join(member.value.text.split())
        if bad := UNPRINTABLE.search(text):
            message = f"{member.path}: character U+{ord(bad.group()):04X} is not allowed in a comment"
            self.findings.error("control-character", message, member.value.place)
            return ""
        self.remarks.append((text, member.value.place))
        return text

    def _remark_lines(self, found: dict[str, _Member]) -> tuple[str, ...]:
        texts = ((key, self._remark(found[key])) for key in _REMARKS if key in found)
        return tuple(f"# {key}: {text}" for key, text in texts if text)

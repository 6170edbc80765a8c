"""The CSV form of annotations: a table with one line per frame, or one line per success range.

::

    # index_base: 0
    episode,frame,reward        every frame of an episode once; 1 is success, 0 is not
    0,0,0
    0,1,1

    # index_base: 1
    episode,start,end           both ends inclusive; no end leaves the range open
    0,34,
    1,40,48
    1,60,nan
    2,,                         neither: no frame is success

Cells are separated by comma, semicolon or tab. A column ``dataset`` names the dataset of each row;
``reset`` marks rows at which the scene was reset. It changes no label: a row that is both a reset
and success is an error; a frame that is a reset and has no reward counts as failure.
The index base must be stated, or given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, IndexBase, dataset_fault
from lerobot_grasp_plugin.core.csv_columns import NOTHING, NUMBER, Columns, read_columns
from lerobot_grasp_plugin.core.csv_episodes import EpisodeRows
from lerobot_grasp_plugin.core.csv_text import Row, delimiter_of, read_row
from lerobot_grasp_plugin.core.grammar_comments import Comments, Header, IsDataset, no_dataset
from lerobot_grasp_plugin.core.grammar_ranges import (
    WrittenRange,
    bounded_int,
    check_not_empty,
    check_number,
)
from lerobot_grasp_plugin.core.odd_numbers import odd_number
from lerobot_grasp_plugin.core.source_text import Findings, Source, Span
from lerobot_grasp_plugin.findings.words import count, episodes_text

_TRUE = {"true", "1", "1.0", "success", "yes"}
_FALSE = {"false", "0", "0.0", "fail", "failure", "no"}
_WHOLE = re.compile(r"(-?[0-9]+)(?:\.0*)?")
_VALUE = re.compile(r"(success|failure)[\s_-]*value\s*[:=]\s*(\S+)", re.IGNORECASE)


@dataclass(slots=True)
class _Section:
    dataset: str | None
    header: Header | None = None
    line: int = 0
    text: str = ""
    before: tuple[str, ...] = ()
    episodes: dict[int, EpisodeRows] = field(default_factory=dict)


def parse_csv_form(
    source: Source, index_base: IndexBase | None, findings: Findings, is_dataset: IsDataset = no_dataset
) -> Annotations:
    """Read a whole CSV file; errors go to ``findings``.

    Raises:
        AnnotationError: Its first row does not name the columns of an annotation file.
    """
    return _Reader(source, Comments(index_base, findings, is_dataset), findings).read()


class _Reader:
    def __init__(self, source: Source, comments: Comments, findings: Findings) -> None:
        self.source = source
        self.comments = comments
        self.findings = findings
        self.columns = Columns({}, (), has_frames=False)
        self.first_row: Row | None = None
        self.begun = False
        self.sections: dict[str | None, _Section] = {None: _Section(None)}
        self.section: str | None = None
        self.pending: list[str] = []
        self.values = {"success": 1.0, "failure": 0.0}
        self.odd_rewards: dict[str, Span] = {}
        self.resets: list[Row] = []

    def read(self) -> Annotations:
        delimiter = ""
        for start, line in self.source.lines():
            word = line.strip()
            if word.startswith("#"):
                self._comment(start, line)
            elif not word:
                continue
            elif self.first_row is None:
                delimiter = delimiter_of(line) or ","
                self._first_row(read_row(self.source, start, line, delimiter, self.findings))
            elif row := read_row(self.source, start, line, delimiter, self.findings):
                self._row(row)
        return self._finish()

    @property
    def base(self) -> IndexBase:
        return 0 if self.comments.base is None else self.comments.base

    def _comment(self, start: int, line: str) -> None:
        left = len(line) - len(line.lstrip())
        place = self.source.place(start + left, start + len(line.rstrip()))
        if value := _VALUE.fullmatch(line.strip().lstrip("#").strip()):
            if NUMBER.fullmatch(value.group(2)) and not self.begun:
                self.values[value.group(1).lower()] = float(value.group(2))
            else:
                message = (
                    "this value is not a number" if not self.begun else "this is stated after the first row"
                )
                hint = "write it above the first row, e.g. `# success_value: 10`"
                self.findings.error("bad-label-values", message, place, hint)
            return
        found = self.comments.read(line, place, begun=self.begun)
        if isinstance(found, Header):
            if "dataset" in self.columns.places:
                self._named_twice(place)
            self.section = found.dataset
            section = _Section(found.dataset, found, place.line, line.rstrip(), tuple(self.pending))
            self.sections.setdefault(found.dataset, section)
            self.pending.clear()
        elif found is not None:
            self.pending.append(found)

    def _first_row(self, row: Row | None) -> None:
        self.findings.raise_errors()
        assert row is not None
        self.first_row = row
        self.columns = read_columns(row, self.findings)
        if self.comments.base is None:
            hint = "write `# index_base: 1` above it if frames count from 1, `# index_base: 0` if from 0"
            self.findings.error("index-base-missing", "the index base is missing", row.place(), hint)
        if self.section is not None and "dataset" in self.columns.places:
            self._named_twice(row.place(self.columns.places["dataset"]))
        if self.values["success"] == self.values["failure"]:
            message = f"success_value and failure_value are both {self.values['success']:g}"
            self.findings.error("bad-label-values", message, row.place(), "state two different numbers")

    def _named_twice(self, place: Span) -> None:
        message = "both a header and a column name the dataset"
        self.findings.error("conflicting-keys", message, place, "keep one of the two")

    def _row(self, row: Row) -> None:
        self.begun = True
        assert self.first_row is not None
        if not any(row.cells):
            return
        if len(row.cells) != len(self.first_row.cells):
            message = f"this row has {len(row.cells)} cells, the first row has {len(self.first_row.cells)}"
            self.findings.error(
                "wrong-cells", message, row.place(), "every row needs a cell for each column, empty or not"
            )
            return
        if filled := [i for i in self.columns.unnamed if row.cells[i]]:
            message = f"column {filled[0] + 1} has no name"
            hint = "name it or remove it (pandas: to_csv(..., index=False))"
            self.findings.error("csv-columns", message, row.place(filled[0]), hint)
            self.findings.raise_errors()
        section = self._section_of(row)
        index = self._whole(row, "episode", "an episode number")
        if section is None or index is None:
            return
        place = row.place(self.columns.places["episode"])
        if not check_number(index, "episode", place, self.findings):
            return
        episode = section.episodes.get(index)
        if episode is None:
            episode = section.episodes[index] = EpisodeRows(index, place, tuple(self.pending))
            self.pending.clear()
        if text := " ".join(self._cell(row, "comment").split()):
            episode.comments[text] = None
            self.comments.note(text, row.place(self.columns.places["comment"]))
        reset = self._flag(row, "reset") if self._cell(row, "reset").lower() not in NOTHING else False
        if reset is None:
            episode.is_partial = True
            return
        if reset:
            self.resets.append(row)
        (self._frame_row if self.columns.has_frames else self._range_row)(episode, row, reset)

    def _section_of(self, row: Row) -> _Section | None:
        if "dataset" not in self.columns.places:
            return self.sections[self.section]
        dataset = self._cell(row, "dataset")
        if fault := "is missing" if dataset.lower() in NOTHING else dataset_fault(dataset):
            place = row.place(self.columns.places["dataset"])
            message = f"the dataset of this row {fault}"
            self.findings.error("missing-dataset", message, place, "expected a path, a repo_id or a name")
            return None
        section = _Section(dataset, Header(dataset, None), row.place().line, before=tuple(self.pending))
        if self.sections.setdefault(dataset, section) is section:
            self.pending.clear()
        return self.sections[dataset]

    def _frame_row(self, episode: EpisodeRows, row: Row, reset: bool) -> None:
        frame = self._whole(row, "frame", "a frame number")
        if frame is None or not check_number(
            frame, "frame number", row.place(self.columns.places["frame"]), self.findings
        ):
            episode.is_partial = True
            return
        role = "reward" if "reward" in self.columns.places else "success"
        cell, place = self._cell(row, role), row.place(self.columns.places[role])
        if cell.lower() in NOTHING:
            success: bool | None = False
            if not reset:
                message = f"frame {frame} of episode {episode.index}: {role} is missing"
                hint = "every frame needs one; only a frame with reset 1 may lack it, and counts as failure"
                self.findings.error("missing-label", message, place, hint)
        else:
            success = self._reward(cell, place) if role == "reward" else self._flag(row, role)
        if success and reset:
            message = f"frame {frame} of episode {episode.index} is both success and a reset"
            hint = "write 0 for one of the two; the label may belong to the frame before the reset"
            self.findings.error("reset-doubtful", message, place, hint)
        if frame in episode.frames:
            message = f"frame {frame} of episode {episode.index} is listed twice"
            message += f", first in line {episode.frames[frame][1].place().line}"
            self.findings.error("frame-listed-twice", message, row.place(), "keep one of the two")
        else:
            episode.frames[frame] = bool(success), row

    def _range_row(self, episode: EpisodeRows, row: Row, reset: bool) -> None:
        has_start = self._cell(row, "start").lower() not in NOTHING
        has_end = self._cell(row, "end").lower() not in NOTHING
        place = row.place(self.columns.places["start"])
        if not has_start and has_end:
            message = f"this range of episode {episode.index} has an end but no start"
            self.findings.error("missing-ranges", message, place, "add the first success frame")
        elif not has_start and not reset:
            episode.all_fail = episode.all_fail or place
        elif has_start and reset:
            message = f"this row of episode {episode.index} is both a success range and a reset"
            hint = "write 0 for reset if these frames are success, otherwise delete start and end"
            self.findings.error("reset-doubtful", message, place, hint)
        elif has_start:
            first = self._whole(row, "start", "a frame number")
            last = self._whole(row, "end", "a frame number") if has_end else None
            if first is not None and (last is not None or not has_end):
                stop = row.place(self.columns.places["end"]).stop if has_end else place.stop
                whole = self.source.place(min(place.start, stop), max(place.stop, stop))
                episode.ranges.append(WrittenRange(first, last, whole))

    def _cell(self, row: Row, role: str) -> str:
        return row.cells[self.columns.places[role]] if role in self.columns.places else ""

    def _whole(self, row: Row, role: str, what: str) -> int | None:
        cell, place = self._cell(row, role), row.place(self.columns.places[role])
        if match := _WHOLE.fullmatch(cell):
            return bounded_int(match.group(1))
        odd = odd_number(cell, self.base)
        if cell.lower() in NOTHING:
            self.findings.error("missing-number", f"the {role} of this row is missing", place)
        elif odd is not None:
            self.findings.error(odd.code, f"{place.text!r} {odd.reason}", place, odd.hint)
        else:
            self.findings.error("wrong-type", f"{place.text!r} is not {what}", place)
        return None

    def _flag(self, row: Row, role: str) -> bool | None:
        cell = self._cell(row, role).lower()
        if cell in _TRUE or cell in _FALSE:
            return cell in _TRUE
        place = row.place(self.columns.places[role])
        self.findings.error(
            "wrong-type", f"{role} {place.text!r} is neither 1 nor 0", place, "or true, false"
        )
        return None

    def _reward(self, cell: str, place: Span) -> bool | None:
        number = float(cell) if NUMBER.fullmatch(cell) else {"true": 1.0, "false": 0.0}.get(cell.lower())
        if number in self.values.values():
            return number == self.values["success"]
        self.odd_rewards.setdefault(cell, place)
        return None

    def _finish(self) -> Annotations:
        self.comments.check()
        if self.odd_rewards:
            named = ", ".join(f"{cell[:20]!r}" for cell in list(self.odd_rewards)[:3])
            message = (
                f"the rewards {named}{', ...' * (len(self.odd_rewards) > 3)} are neither the success value "
            )
            message += f"{self.values['success']:g} nor the failure value {self.values['failure']:g}"
            hint = "state your values above the first row: `# success_value: 10`, `# failure_value: -0.05`"
            self.findings.error("reward-unknown", message, next(iter(self.odd_rewards.values())), hint)
        if self.resets:
            rows = f"{count(len(self.resets), 'row')}"
            message = f"reset is set in {rows}, but changes no label"
            self.findings.warn("reset-unused", message, self.resets[0].place(self.columns.places["reset"]))
        sections = []
        for part in self.sections.values():
            found = (
                item.annotation(
                    self.base,
                    self.findings,
                    has_frames=self.columns.has_frames,
                    is_known=self.comments.base is not None,
                )
                for item in part.episodes.values()
            )
            episodes = tuple(item for item in found if item is not None)
            if part.header is not None:
                comment = part.header.comment
                sections.append(
                    AnnotationSection(part.dataset, episodes, comment, part.before, part.line, part.text)
                )
            elif episodes:
                sections.append(AnnotationSection(None, episodes))
        annotations = Annotations(tuple(sections), self.base, self.source.name, tuple(self.pending))
        self._warn_of_failures()
        check_not_empty(annotations, self.source.place(0, 1), self.findings, "a row `7,45,`")
        return annotations

    def _warn_of_failures(self) -> None:
        found = [item for part in self.sections.values() for item in part.episodes.values() if item.all_fail]
        if found and found[0].all_fail:
            named = episodes_text(item.index for item in found)
            message = f"rows without start and end count as all failure: {named}"
            self.findings.warn("no-range", message, found[0].all_fail)

"""Checks the indices of every row against each other and against the episodes table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import EPISODES, Place, Problem, Severity, the_episodes
from lerobot_grasp_plugin.findings.words import all_but
from lerobot_grasp_plugin.verify.place import Tally, count
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.view import View

_SHOWN = 5
"""Findings of one kind that are listed individually."""


class IndexCheck:
    """Checks ``index``, ``episode_index``, ``frame_index`` and ``task_index`` of every row."""

    def __init__(self, view: View) -> None:
        self._view = view
        lengths = view.lengths
        self._expected_start = (
            dict(zip(view.episodes.indices.tolist(), (np.cumsum(lengths) - lengths).tolist(), strict=True))
            if view.episodes is not None and (view.episodes.lengths > 0).all()
            else {}
        )
        self._next_index = 0
        self._seen: dict[int, int] = {}
        self._files: dict[int, list[Path]] = {}
        self._order: list[int] = []
        self._wrong = {name: Tally() for name in (layout.INDEX, layout.FRAME_INDEX, layout.TASK_INDEX)}
        self._fraction: dict[str, Tally] = {}
        self._scattered = Tally()
        self._late = Tally()
        self._used_tasks: set[int] = set()
        self.tasks_of: dict[int, set[int]] = {}

    def see(self, rows: Rows) -> None:
        runs = list(zip(rows.episodes.tolist(), rows.lengths.tolist(), strict=True))
        before, starts = [], []
        first = self._first_index(rows)
        for run, (episode, length) in enumerate(runs):
            seen = self._seen.get(episode, 0)
            if seen:
                self._scattered.add(rows.files[run], episode, seen, length)
            elif self._order and episode < self._order[-1]:
                example = f"episode {episode} comes after episode {self._order[-1]}"
                self._late.add(rows.files[run], episode, 0, length, example)
            self._order.append(episode)
            before.append(seen)
            listed = self._expected_start.get(episode, self._next_index - seen) + seen
            goes_on = first[run] == self._next_index  # where the lengths in the list are wrong
            starts.append(self._next_index if goes_on else listed)
            self._next_index = starts[-1] + length
            self._seen[episode] = seen + length
            places = self._files.setdefault(episode, [])
            if rows.files[run] not in places:
                places.append(rows.files[run])
        frames = rows.frames + np.repeat(np.array(before, dtype=np.int64), rows.lengths)
        self._compare(rows, layout.FRAME_INDEX, frames, np.array(before))
        index = rows.frames + np.repeat(np.array(starts, dtype=np.int64), rows.lengths)
        self._compare(rows, layout.INDEX, index, np.array(before))
        self._tasks(rows, np.array(before))

    def _first_index(self, rows: Rows) -> list[float]:
        values = rows.columns.get(layout.INDEX)
        if values is None or values.shape[1] != 1:
            return [-1.0] * len(rows.files)
        return values[rows.offsets, 0].tolist()  # type: ignore[no-any-return]

    def _whole(self, rows: Rows, name: str) -> NDArray[Any] | None:
        values = rows.columns.get(name)
        if values is None or values.shape[1] != 1:
            return None
        flat = values.reshape(-1)
        if flat.dtype.kind == "f":
            odd = ~np.isfinite(flat) | (flat != np.round(flat))
            for run, frame, number in rows.per_run(odd):
                tally = self._fraction.setdefault(name, Tally())
                at = flat[int(rows.offsets[run]) + frame]
                tally.add(rows.files[run], int(rows.episodes[run]), frame, number, f"{at}")
        return flat

    def _compare(self, rows: Rows, name: str, expected: NDArray[np.int64], before: NDArray[np.int64]) -> None:
        values = self._whole(rows, name)
        if values is None:
            return
        for run, frame, number in rows.per_run(values != expected):
            at = int(rows.offsets[run]) + frame
            example = f"{name} is {values[at]}, expected {expected[at]}"
            place = int(before[run]) + frame
            self._wrong[name].add(rows.files[run], int(rows.episodes[run]), place, number, example)

    def _tasks(self, rows: Rows, before: NDArray[np.int64]) -> None:
        values = self._whole(rows, layout.TASK_INDEX)
        if values is None:
            return
        if self._view.tasks is not None:
            known = np.array(sorted(self._view.tasks), dtype=np.int64)
            for run, frame, number in rows.per_run(~np.isin(values, known)):
                at = int(rows.offsets[run]) + frame
                example = f"task_index is {values[at]}"
                place = int(before[run]) + frame
                self._wrong[layout.TASK_INDEX].add(
                    rows.files[run], int(rows.episodes[run]), place, number, example
                )
        low = np.minimum.reduceat(values, rows.offsets)
        high = np.maximum.reduceat(values, rows.offsets)
        for run, episode in enumerate(rows.episodes.tolist()):
            if low[run] == high[run]:
                self.tasks_of.setdefault(episode, set()).add(_integer(low[run]))
            else:
                start = int(rows.offsets[run])
                several = np.unique(values[start : start + int(rows.lengths[run])])
                self.tasks_of.setdefault(episode, set()).update(map(_integer, several.tolist()))

    # -- findings ---------------------------------------------------------------------------------

    def found(self) -> Iterator[Problem]:
        yield from self._own()
        yield from self._against_table()

    def _own(self) -> Iterator[Problem]:
        codes = {layout.INDEX: "index-wrong", layout.FRAME_INDEX: "frame-wrong"}
        hints = {
            layout.INDEX: "LeRobot uses index as the row number in the dataset; it must be contiguous",
            layout.FRAME_INDEX: "frame_index must count 0, 1, 2, ... in every episode",
        }
        for name, code in codes.items():
            tally = self._wrong[name]
            if tally.rows:
                yield tally.problem(code, f"{tally.example}; {tally.extent}", hints[name])
        tally = self._wrong[layout.TASK_INDEX]
        if tally.rows:
            tasks = sorted(self._view.tasks or {})
            message = f"{tally.example}, which is not in the list of tasks; {tally.extent}"
            hint = f"listed: {tasks[0]} to {tasks[-1]}" if tasks else "no tasks are listed"
            yield tally.problem("unknown-task", message, hint)
        for name, tally in self._fraction.items():
            message = f"{name} is {tally.example}, not an integer; {tally.extent}"
            yield tally.problem("bad-index-column", message)
        if self._scattered.rows:
            message = f"the rows of {EPISODES} are not contiguous"
            yield self._scattered.problem(
                "scattered-episode", message, "LeRobot reads an episode as one contiguous range"
            )
        if self._late.rows:
            message = f"{self._late.example}; LeRobot reads rows in the order of the files"
            yield self._late.problem("episode-order", message)

    def _against_table(self) -> Iterator[Problem]:
        listed = self._view.episodes
        if listed is None:
            return
        known = self._view.rows_of
        strange = [episode for episode in self._seen if episode not in known]
        if strange:
            rows = sum(self._seen[episode] for episode in strange)
            first = self._files[strange[0]][0]
            message = f"{count(rows, 'row')} of {EPISODES}, missing in the episodes list"
            hint = "the episodes list and the tables belong to different versions of the dataset"
            if min(strange) >= len(known):
                when = "" if self._view.legacy else " (finalize() does that)"
                hint = (
                    f"the recording was interrupted before its episodes were listed{when}, or the list "
                    "belongs to an older version of the dataset"
                )
            place = Place(str(first), episode=min(strange), frame=0)
            yield Problem("unlisted-rows", message, place, hint, episodes=the_episodes(strange))
        wrong: dict[int, tuple[Path, int, int]] = {}
        for episode, row in known.items():
            length = int(listed.lengths[row])
            seen = self._seen.get(episode, 0)
            if seen and length > 0 and seen != length:  # else see missing_rows and empty-episode
                wrong[episode] = (self._files[episode][0], seen, length)
        yield from _wrong_lengths(wrong)
        yield from self._ranges()
        yield from self._wrong_files()
        yield from self._episode_tasks()

    def _ranges(self) -> Iterator[Problem]:
        """Checks ``dataset_from_index`` and ``dataset_to_index`` if each episode is listed once."""
        listed = self._view.episodes
        assert listed is not None
        order = np.argsort(listed.indices, kind="stable")
        whole = np.array_equal(listed.indices[order], np.arange(len(order)))
        if not whole or (listed.lengths <= 0).any():
            return
        seen = [self._seen.get(episode, 0) for episode in listed.indices.tolist()]
        readings = []  # by the list, or by the rows if the lengths in the list are wrong
        for lengths in (listed.lengths, np.array(seen, dtype=np.int64)):
            ends = np.empty_like(lengths)
            ends[order] = np.cumsum(lengths[order])
            readings.append({"dataset_from_index": ends - lengths, "dataset_to_index": ends})
        for name in readings[0]:
            values = listed.numbers.get(name)
            if values is None or any((values == reading[name]).all() for reading in readings):
                continue
            expected = readings[0][name]
            wrong = np.flatnonzero(values != expected)
            row = int(wrong[0])
            message = f"{name} is {values[row]}, expected {expected[row]}; {EPISODES}"
            hint = "LeRobot finds an episode's rows by it"
            place = Place(str(listed.where), episode=row)
            episodes = the_episodes(listed.indices[wrong].tolist())
            yield Problem("wrong-range", message, place, hint, episodes=episodes)

    def _elsewhere(self) -> dict[tuple[Path, Path], list[int]]:
        """Finds listed episodes whose rows are in another file than the listed one."""
        pairs: dict[tuple[Path, Path], list[int]] = {}
        for episode, row in self._view.rows_of.items() if not self._view.tables.swapped else ():
            path, files = self._view.data_paths[row], self._files.get(episode)
            if path is not None and files and path not in files:
                pairs.setdefault((files[0], path), []).append(episode)
        return pairs

    def _wrong_files(self) -> Iterator[Problem]:
        for (found, listed), episodes in self._elsewhere().items():
            gone = "" if listed.is_file() else ", which does not exist"
            listed_as = f"{self._view.named(listed)}{gone}"
            message = f"the rows of {EPISODES} are here, but the episodes list says {listed_as}"
            hint = (
                "name the file by its episode: LeRobot's converter numbers episodes by the file name"
                if self._view.legacy
                else "LeRobot reads them, and lerobot-grasp-merge writes a correct list; LeRobot's own "
                "edits and downloads of single episodes use data/chunk_index and data/file_index"
            )
            severity: Severity = "error" if self._view.legacy else "warning"
            place = Place(str(found), episode=min(episodes))
            yield Problem(
                "wrong-file", message, place, hint, severity=severity, episodes=the_episodes(episodes)
            )

    def moved(self) -> set[Path]:
        """Missing listed files, the rows of whose episodes are all in other files."""
        lost = {listed for _, listed in self._elsewhere() if not listed.is_file()}
        unseen = {row for episode, row in self._view.rows_of.items() if episode not in self._seen}
        return lost - {self._view.data_paths[row] for row in unseen}

    def missing_rows(self, unread: set[Path]) -> Iterator[Problem]:
        """Finds listed episodes without rows, except those whose file is missing or damaged."""
        if self._view.episodes is None:
            return
        present = set(self._view.data_files) - unread
        lost: dict[Path, list[int]] = {}
        for episode, row in self._view.rows_of.items():
            path, length = self._view.data_paths[row], int(self._view.episodes.lengths[row])
            if path is not None and episode not in self._seen and path in present and length != 0:
                lost.setdefault(path, []).append(episode)
        for path, episodes in lost.items():
            rows = int(self._view.lengths[[self._view.rows_of[episode] for episode in episodes]].sum())
            message = f"the file has no rows of {EPISODES}, but the episodes list says {rows}"
            hint = (
                "rows were removed by hand, or the table is older than the list: copy it again, or leave "
                f'the episodes out with lerobot-grasp-merge, episodes: "{all_but(episodes)}"'
            )
            place = Place(str(path), episode=min(episodes))
            yield Problem("missing-rows", message, place, hint, episodes=the_episodes(episodes))

    def _episode_tasks(self) -> Iterator[Problem]:
        listed, tasks = self._view.episodes, self._view.tasks
        if listed is None or listed.tasks is None or not tasks:
            return
        tally = Tally()
        for episode, row in self._view.rows_of.items():
            own = {tasks[task] for task in self.tasks_of.get(episode, ()) if task in tasks}
            lacking = sorted(own - set(listed.tasks[row]))
            if lacking:
                example = f"its rows have the task {lacking[0]!r}, missing in its entry of the episodes list"
                tally.add(listed.where, episode, None, 1, example)
        if tally.rows:
            message = f"{tally.example}; {EPISODES}"
            yield tally.problem("episode-tasks", message)


def _wrong_lengths(wrong: dict[int, tuple[Path, int, int]]) -> Iterator[Problem]:
    """One finding per episode, or one for all of them if there are many."""
    several = len(wrong) > _SHOWN
    for episode, (path, seen, length) in itertools.islice(wrong.items(), 1 if several else None):
        message = f"the tables have {count(seen, 'row')} of the episode, but the episodes list says {length}"
        if several:
            message += f"; it is wrong for {EPISODES}"
        place = Place(str(path), episode=episode, frame=min(seen, length))
        yield Problem("wrong-length", message, place, episodes=the_episodes(wrong) if several else ())


def _integer(value: Any) -> int:
    return int(value) if np.isfinite(value) else -1

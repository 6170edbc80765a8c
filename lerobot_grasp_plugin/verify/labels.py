"""Checks labels: rewards, ``next.done`` and ``next.success`` against each other and the sidecar.

Which rows are success is decided after all rows were read, unless a sidecar states it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.labels import SuccessEvidence, SuccessRule
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.provenance import Provenance
from lerobot_grasp_plugin.dataset.recording import read_recording
from lerobot_grasp_plugin.findings.problem import EPISODES, Place, Problem, Severity, the_episodes
from lerobot_grasp_plugin.findings.words import agree
from lerobot_grasp_plugin.verify.place import Tally, count, episodes_text
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.sidecar import expected_done
from lerobot_grasp_plugin.verify.view import View

_DISTINCT = 50
_SHIFTS = (1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Shifts, in frames, by which labels are compared with the sidecar."""


class LabelCheck:
    """Checks rewards and ends of every episode."""

    def __init__(self, view: View, sidecar: Provenance | None) -> None:
        self._view = view
        self._sidecar = sidecar
        self._trusted = sidecar if sidecar is not None and not sidecar.problems and sidecar.episodes else None
        values = sidecar.values if sidecar is not None else None
        if values is None:
            recording = read_recording(view.root)
            values = recording.values if recording is not None else None
        self._rule = SuccessRule.of_values(values) if values is not None else None
        self._evidence = SuccessEvidence()
        self._waiting: list[Rows] = []
        self._rewards: set[float] = set()
        self._rows = 0
        self._success: dict[int, tuple[int, int]] = {}
        self._has_done = False
        self._any_done = False
        self._open = Tally()
        self._no_done = Tally()
        self._early = Tally()
        self._undone = Tally()
        self._unequal = Tally()
        self._outcome = Tally()
        self._stamped = True
        self._other_reward = Tally()
        self._other_done = Tally()
        self._shifts = set(_SHIFTS)
        self._wide: dict[str, int] = {}
        self._all_done = True

    def see(self, rows: Rows) -> None:
        reward, flags = self._single(rows, layout.REWARD), self._single(rows, layout.SUCCESS)
        if reward is not None:
            self._rows += len(reward)
            if len(self._rewards) <= _DISTINCT:
                self._rewards.update(np.unique(reward)[: _DISTINCT + 1].tolist())
        self._evidence.add(reward, flags)
        if self._rule is None and not self._evidence.is_many:
            self._waiting.append(_labels_of(rows))
            return
        self._decide()
        self._judge(rows)

    def _decide(self) -> None:
        """Decides which rows are success, and checks the rows that waited for it."""
        self._rule = self._rule or self._evidence.rule()
        waiting, self._waiting = self._waiting, []
        for rows in waiting:
            self._judge(rows)

    def _judge(self, rows: Rows) -> None:
        assert self._rule is not None
        reward, flags = self._single(rows, layout.REWARD), self._single(rows, layout.SUCCESS)
        done = self._single(rows, layout.DONE)
        success = self._rule.rows(reward, flags)
        if success is not None:
            hits = np.add.reduceat(success.astype(np.int64), rows.offsets)
            for run, episode in enumerate(rows.episodes.tolist()):
                self._success[episode] = (int(hits[run]), int(rows.lengths[run]))
            if flags is not None and self._rule.success_value is not None:
                self._compare(rows, flags.astype(bool), success, hits > 0)
        if done is not None:
            self._dones(rows, done.astype(bool), success)
        if self._trusted is not None:
            self._against_sidecar(rows, success, done)

    def _single(self, rows: Rows, name: str) -> NDArray[np.generic] | None:
        values = rows.columns.get(name)
        if values is not None and values.shape[1] != 1:
            self._wide[name] = values.shape[1]
        return None if values is None or values.shape[1] != 1 else values.reshape(-1)

    def _compare(
        self, rows: Rows, flags: NDArray[np.bool_], success: NDArray[np.bool_], succeeded: NDArray[np.bool_]
    ) -> None:
        """Compares ``next.success`` with the rewards, row by row and per episode."""
        self._add(self._unequal, rows, flags != success)
        inside = flags.copy()
        inside[rows.offsets + rows.lengths - 1] = False
        self._stamped &= not inside.any()
        flagged = np.logical_or.reduceat(flags, rows.offsets)
        for run in np.flatnonzero(flagged != succeeded).tolist():
            what = "success" if flagged[run] else "failure"
            self._outcome.add(rows.files[run], int(rows.episodes[run]), None, 1, what)

    def _dones(self, rows: Rows, done: NDArray[np.bool_], success: NDArray[np.bool_] | None) -> None:
        self._has_done = True
        self._any_done |= bool(done.any())
        self._all_done &= bool(done.all())
        last = rows.offsets + rows.lengths - 1
        counts = np.add.reduceat(done.astype(np.int64), rows.offsets)
        hits = (
            np.add.reduceat(success.astype(np.int64), rows.offsets)
            if success is not None
            else np.zeros_like(counts)
        )
        for run in np.flatnonzero(~done[last]).tolist():
            episode, frame = int(rows.episodes[run]), int(rows.lengths[run]) - 1
            tally = self._no_done if counts[run] == 0 and hits[run] else self._open
            tally.add(rows.files[run], episode, frame)
        early = done.copy()
        early[last] = False
        self._add(self._early, rows, early)
        if success is not None:
            after = success & ~done
            self._add(self._undone, rows, after)

    def _add(self, tally: Tally, rows: Rows, wrong: NDArray[np.bool_], example: str = "") -> None:
        for run, frame, number in rows.per_run(wrong):
            tally.add(rows.files[run], int(rows.episodes[run]), frame, number, example)

    def _against_sidecar(
        self, rows: Rows, success: NDArray[np.bool_] | None, done: NDArray[np.generic] | None
    ) -> None:
        sidecar = self._trusted
        if sidecar is None or success is None:
            return
        for run, episode in enumerate(rows.episodes.tolist()):
            entry = sidecar.episodes.get(episode)
            length, start = int(rows.lengths[run]), int(rows.offsets[run])
            if entry is None or entry.success is None or entry.length != length:
                continue
            said = entry.success.mask(length)
            found = success[start : start + length]
            differing = np.flatnonzero(found != said)
            if len(differing):
                what = "success" if said[differing[0]] else "failure"
                self._shifts = {shift for shift in self._shifts if _is_shifted(found, said, shift)}
                self._other_reward.add(rows.files[run], episode, int(differing[0]), len(differing), what)
            expected = expected_done(_done_of(sidecar, episode), said)
            if expected is None or done is None:
                continue
            differing = np.flatnonzero(done[start : start + length].astype(bool) != expected)
            if len(differing):
                what = "true" if expected[differing[0]] else "false"
                self._other_done.add(rows.files[run], episode, int(differing[0]), len(differing), what)

    # -- findings ---------------------------------------------------------------------------------

    def found(self) -> Iterator[Problem]:
        for name, width in self._wide.items():
            message = f"{name} has {width} values per row, expected one"
            hint = "reward classifiers and HIL-SERL need one; its labels were not checked"
            yield Problem("label-shape", message, self._view.root / "data", hint)
        self._decide()
        if self._rows:
            yield from self._of_rewards()
        elif self._success and self._evidence.has_flags:
            yield from self._balance()
        if self._has_done:
            yield from self._of_dones()
        if self._other_reward.rows:
            tally = self._other_reward
            message = f"the sidecar says {tally.example} here; the rewards differ in {tally.extent}"
            hint = "the labels were changed after relabelling; relabel again, or remove the sidecar"
            shift = min(self._shifts, key=abs, default=0)
            if shift:
                way = "later" if shift > 0 else "earlier"
                message += f": they are the sidecar's labels {count(abs(shift), 'frame')} {way}"
                hint = "check index_base and alignment; relabel again, or remove the sidecar"
            yield tally.problem("reward-differs-from-sidecar", message, hint)
        if self._other_done.rows:
            tally = self._other_done
            mode = _done_of(self._sidecar, tally.place.episode or 0)
            message = (
                f"by the sidecar (done {mode}), next.done should be {tally.example} here; it differs in "
                f"{tally.extent}"
            )
            yield tally.problem("done-differs-from-sidecar", message)

    def _of_rewards(self) -> Iterator[Problem]:
        where = self._view.root / "data"
        rewards = sorted(value for value in self._rewards if np.isfinite(value))
        shown = ", ".join(f"{value:g}" for value in rewards[:8])
        if not rewards:
            return  # none is a number, which has its own finding
        if rewards == [0.0]:
            message = f"next.reward is 0 in all {self._rows} rows"
            hint = "no frame is labelled as success, so a reward classifier cannot be trained"
            if any(hits for hits, _ in self._success.values()):
                hint = "next.success has success frames: relabel with --labels_from next.success"
            yield Problem("reward-all-zero", message, where, hint)
        elif len(rewards) == 1:
            message = f"next.reward is {shown} in all {self._rows} rows"
            yield Problem("reward-constant", message, where)
        if self._rule is not None and (len(rewards) > 1 or self._rule.basis == "next.success"):
            yield from self._balance()
        if len(rewards) > 2:
            more = " and more" * (len(rewards) > _DISTINCT)
            message = f"next.reward has {len(rewards)} values{more}: {shown}"
            hint = "a reward classifier needs two values, success and failure"
            if self._rule is not None and self._rule.basis == "many values":
                message += "; the reward is dense, and no frame counts as success"
                hint = (
                    "if values above a threshold mean success, relabel with --labels_from and "
                    "--labels_threshold"
                )
            yield Problem("dense-rewards", message, where, hint, severity="note")
        elif self._rule is not None and self._rule.basis == "two values" and rewards != [0.0, 1.0]:
            message = f"next.reward is {rewards[0]:g} or {rewards[1]:g}; the larger one counts as success"
            hint = (
                "no sidecar states their meaning; if the larger one means failure, relabel from annotations"
            )
            yield Problem("reward-values", message, where, hint)
        if self._unequal.rows:
            yield from self._contradiction()
        if layout.DONE not in self._view.info.features and not self._has_done:
            message = "next.reward exists, but next.done is missing"
            hint = "HIL-SERL treats every episode as unfinished; lerobot-grasp-relabel writes both"
            yield Problem("reward-without-done", message, where, hint)

    def _contradiction(self) -> Iterator[Problem]:
        if self._stamped and not self._outcome.rows:
            message = (
                "next.success is set on the last frame only, in the episodes with success in next.reward"
            )
            hint = "next.reward decides which frames are success"
            yield self._unequal.problem("success-differs", message, hint, severity="note")
            return
        message = f"next.success differs from next.reward in {self._unequal.extent}"
        if self._outcome.rows:
            episodes = episodes_text(self._outcome.episodes)
            message += f"; in {episodes} one has success, the other only failure"
        hint = (
            "next.reward decides; to use next.success, run lerobot-grasp-relabel --labels_from next.success"
        )
        yield self._unequal.problem("success-differs", message, hint)

    def _balance(self) -> Iterator[Problem]:
        if not self._success:
            return
        yield self._share("all", list(self._success))
        without = [episode for episode, (hits, _) in self._success.items() if not hits]
        if without:
            message = f"{EPISODES} {agree(len(without), 'has', 'have')} no success frame"
            place = Place(str(self._view.root / "data"), episode=min(without))
            yield Problem("no-success", message, place, episodes=the_episodes(without))
        sidecar = self._trusted
        if sidecar is None or len(sidecar.sources) < 2:
            return
        for number, source in enumerate(sidecar.sources):
            own = [
                episode
                for episode in self._success
                if episode in sidecar.episodes and sidecar.episodes[episode].source == number
            ]
            if own:
                yield self._share((source.repo_id or "").rpartition("/")[2], own)

    def _share(self, name: str, episodes: list[int]) -> Problem:
        hits = sum(self._success[episode][0] for episode in episodes)
        rows = sum(self._success[episode][1] for episode in episodes)
        with_success = sum(self._success[episode][0] > 0 for episode in episodes)
        whose = "" if name == "all" else f"{name}: "
        message = (
            f"{whose}success in {hits} of {rows} frames ({100 * hits / rows:.1f} %), "
            f"in {with_success} of {count(len(episodes), 'episode')}"
        )
        if self._rule is not None and self._rule.basis == "next.success":
            message += ", by next.success"
        return Problem("class-balance", message, self._view.root / "data")

    def _of_dones(self) -> Iterator[Problem]:
        where = self._view.root / "data"
        if not self._any_done:
            message = "next.done is false in every row"
            hint = "HIL-SERL treats episodes as unfinished; lerobot-grasp-relabel --done episode_end sets it"
            yield Problem("done-all-false", message, where, hint)
            return
        if self._all_done and self._early.rows:
            message = "next.done is true in every row"
            hint = "HIL-SERL treats every step as the last; lerobot-grasp-relabel --done episode_end sets it"
            yield Problem("done-all-true", message, where, hint)
            return
        if self._no_done.rows:
            message = f"{EPISODES}: success, but next.done is never true"
            yield self._no_done.problem("reward-without-done", message)
        if self._open.rows:
            message = f"the last row of {EPISODES} is not done"
            yield self._open.problem("done-missing-at-end", message)
        modes = {None} if self._sidecar is None else {source.done for source in self._sidecar.sources}
        if self._early.rows and not modes & {"first_success", "last_frame_of_success"}:
            message = f"next.done is true before the end in {self._early.extent}; rows follow it"
            severity: Severity = "note"
            yield self._early.problem("done-before-end", message, severity=severity)
        if self._undone.rows and self._sidecar is None:
            message = (
                f"{self._undone.extent} have success without done; it is unknown whether the episode "
                "should end there"
            )
            yield self._undone.problem("success-without-done", message)


def _labels_of(rows: Rows) -> Rows:
    """A copy of a batch's label columns."""
    names = (layout.REWARD, layout.DONE, layout.SUCCESS)
    columns = {name: rows.columns[name].copy() for name in names if name in rows.columns}
    return replace(rows, columns=columns)


def _done_of(sidecar: Provenance | None, episode: int) -> str | None:
    """How done was decided in an episode; None if the sidecar does not say."""
    source = None if sidecar is None else sidecar.source_of(episode)
    return None if source is None else source.done


def _is_shifted(found: NDArray[np.bool_], said: NDArray[np.bool_], shift: int) -> bool:
    """Whether the labels of an episode are the sidecar's shifted by ``shift`` frames."""
    here, there = (found[shift:], said[:-shift]) if shift > 0 else (found[:shift], said[-shift:])
    return bool(here.any() and not here.all() and np.array_equal(here, there))

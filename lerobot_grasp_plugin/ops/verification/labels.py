"""Labels: rewards, ``next.done`` and ``next.success`` against each other and against the sidecar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.errors import Problem, Severity
from lerobot_grasp_plugin.ops.verification.place import Tally, count, episodes_text
from lerobot_grasp_plugin.ops.verification.sidecar import Sidecar, expected_done
from lerobot_grasp_plugin.ops.verification.tables import Rows
from lerobot_grasp_plugin.ops.verification.view import View

_DISTINCT = 50
_SHIFTS = (1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Frames by which labels are looked for elsewhere than the sidecar has them."""


class LabelCheck:
    """Rewards and ends of every episode."""

    def __init__(self, view: View, sidecar: Sidecar | None) -> None:
        self._view = view
        self._sidecar = sidecar
        self._trusted = sidecar if sidecar is not None and not sidecar.problems and sidecar.episodes else None
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
        self._other_reward = Tally()
        self._other_done = Tally()
        self._shifts = set(_SHIFTS)
        self._wide: dict[str, int] = {}
        self._all_done = True

    def see(self, rows: Rows) -> None:
        reward = self._single(rows, layout.REWARD)
        done = self._single(rows, layout.DONE)
        success = self._success_rows(reward)
        if reward is not None and success is not None:
            self._rows += len(reward)
            if len(self._rewards) <= _DISTINCT:
                self._rewards.update(np.unique(reward)[: _DISTINCT + 1].tolist())
            hits = np.add.reduceat(success.astype(np.int64), rows.offsets)
            for run, episode in enumerate(rows.episodes.tolist()):
                self._success[episode] = (int(hits[run]), int(rows.lengths[run]))
            given = self._single(rows, layout.SUCCESS)
            if given is not None:
                self._add(self._unequal, rows, given.astype(bool) != success)
        if done is not None:
            self._dones(rows, done.astype(bool), success)
        if self._trusted is not None:
            self._against_sidecar(rows, success, done)

    def _single(self, rows: Rows, name: str) -> NDArray[np.generic] | None:
        values = rows.columns.get(name)
        if values is not None and values.shape[1] != 1:
            self._wide[name] = values.shape[1]
        return None if values is None or values.shape[1] != 1 else values.reshape(-1)

    @property
    def _by_sign(self) -> bool:
        return self._sidecar is None or self._sidecar.success_value is None

    def _success_rows(self, reward: NDArray[np.generic] | None) -> NDArray[np.bool_] | None:
        if reward is None:
            return None
        if self._sidecar is not None and self._sidecar.success_value is not None:
            return np.asarray(reward.astype(np.float32) == np.float32(self._sidecar.success_value))
        with np.errstate(invalid="ignore"):
            values = reward.astype(np.float64)
            return np.asarray((values > 0) & np.isfinite(values))

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
            said = np.zeros(length, dtype=bool)
            for first, stop in entry.success:
                said[first:stop] = True
            found = success[start : start + length]
            differing = np.flatnonzero(found != said)
            if len(differing):
                what = "success" if said[differing[0]] else "failure"
                self._shifts = {shift for shift in self._shifts if _is_shifted(found, said, shift)}
                self._other_reward.add(rows.files[run], episode, int(differing[0]), len(differing), what)
            expected = expected_done(sidecar.done_of(episode), said)
            if expected is None or done is None:
                continue
            differing = np.flatnonzero(done[start : start + length].astype(bool) != expected)
            if len(differing):
                what = "true" if expected[differing[0]] else "false"
                self._other_done.add(rows.files[run], episode, int(differing[0]), len(differing), what)

    # -- findings ---------------------------------------------------------------------------------

    def found(self) -> Iterator[Problem]:
        for name, width in self._wide.items():
            message = f"{name} has {width} values in every row, and should have one"
            hint = "reward classifiers and HIL-SERL take one; its labels were not checked"
            where = str(self._view.root / "data")
            yield Problem("label-shape", message, where, hint, severity="warning")
        if self._rows:
            yield from self._of_rewards()
        if self._has_done:
            yield from self._of_dones()
        if self._other_reward.rows:
            tally = self._other_reward
            message = f"the sidecar says {tally.example} here; rewards differ from it in {tally.extent}"
            hint = "the labels were changed after they were written; relabel again, or remove the sidecar"
            shift = min(self._shifts, key=abs, default=0)
            if shift:
                way = "later" if shift > 0 else "earlier"
                message += f": they are the sidecar's, {count(abs(shift), 'frame')} {way}"
                hint = "was another index_base or alignment meant? relabel again, or remove the sidecar"
            yield tally.problem("reward-differs-from-sidecar", message, hint, "warning")
        if self._other_done.rows:
            tally = self._other_done
            mode = self._sidecar.done_of(tally.episode or 0) if self._sidecar is not None else None
            message = (
                f"by the sidecar (done {mode}) next.done should be {tally.example} here; it differs in "
                f"{tally.extent}"
            )
            yield tally.problem("done-differs-from-sidecar", message, severity="warning")

    def _of_rewards(self) -> Iterator[Problem]:
        where = str(self._view.root / "data")
        rewards = sorted(value for value in self._rewards if np.isfinite(value))
        shown = ", ".join(f"{value:g}" for value in rewards[:8])
        if not rewards:
            return  # none is a number, which is named as such
        if rewards == [0.0]:
            message = f"next.reward is 0 in all {self._rows} rows"
            hint = "nothing was labelled as success; a reward classifier learns nothing from it"
            yield Problem("reward-all-zero", message, where, hint, severity="warning")
        elif len(rewards) == 1:
            message = f"next.reward is {shown} in all {self._rows} rows"
            yield Problem("reward-constant", message, where, severity="warning")
        else:
            yield from self._balance()
            if len(rewards) > 2:
                message = f"next.reward has {len(rewards)} values and more: {shown}"
                message = message if len(rewards) > _DISTINCT else message.replace(" and more", "")
                hint = "a reward classifier learns from two values, success and failure"
                yield Problem("reward-values", message, where, hint, severity="note")
            elif self._by_sign and (rewards[0] > 0 or rewards[1] <= 0):
                message = (
                    f"next.reward is {rewards[0]:g} or {rewards[1]:g}; what is above 0 counts as success"
                )
                hint = "should the greater of the two mean it, relabel with 0 and 1"
                yield Problem("reward-values", message, where, hint, severity="note")
        if self._unequal.rows:
            message = f"next.success differs from what next.reward says in {self._unequal.extent}"
            yield self._unequal.problem("success-differs", message, severity="warning")
        if layout.DONE not in self._view.info.features and not self._has_done:
            message = "there is next.reward, but no next.done"
            hint = "HIL-SERL takes every episode for unfinished; lerobot-grasp-relabel writes both"
            yield Problem("reward-without-done", message, where, hint, severity="warning")

    def _balance(self) -> Iterator[Problem]:
        yield self._share("all", list(self._success))
        without = [episode for episode, (hits, _) in self._success.items() if not hits]
        if without:
            message = f"{episodes_text(without)} {'has' if len(without) == 1 else 'have'} no success frame"
            where = str(self._view.root / "data")
            yield Problem("no-success", message, where, severity="note", episode=min(without))
        sidecar = self._trusted
        if sidecar is None or len(sidecar.names) < 2:
            return
        for source, name in enumerate(sidecar.names):
            own = [
                episode
                for episode in self._success
                if episode in sidecar.episodes and sidecar.episodes[episode].source == source
            ]
            if own:
                yield self._share(name, own)

    def _share(self, name: str, episodes: list[int]) -> Problem:
        hits = sum(self._success[episode][0] for episode in episodes)
        rows = sum(self._success[episode][1] for episode in episodes)
        with_success = sum(self._success[episode][0] > 0 for episode in episodes)
        whose = "" if name == "all" else f"{name}: "
        message = (
            f"{whose}success in {hits} of {rows} frames ({100 * hits / rows:.1f} %), "
            f"in {with_success} of {count(len(episodes), 'episode')}"
        )
        return Problem("class-balance", message, str(self._view.root / "data"), severity="note")

    def _of_dones(self) -> Iterator[Problem]:
        where = str(self._view.root / "data")
        if not self._any_done:
            message = "next.done is false in every row"
            hint = "HIL-SERL takes episodes for unfinished; lerobot-grasp-relabel --done episode_end sets it"
            yield Problem("done-all-false", message, where, hint, severity="warning")
            return
        if self._all_done and self._early.rows:
            message = "next.done is true in every row"
            hint = "HIL-SERL takes every step for the last; lerobot-grasp-relabel --done episode_end sets it"
            yield Problem("done-all-true", message, where, hint, severity="warning")
            return
        if self._no_done.rows:
            message = f"{episodes_text(self._no_done.episodes)}: success, and next.done is never true"
            yield self._no_done.problem("reward-without-done", message, severity="warning")
        if self._open.rows:
            message = f"the last row of {episodes_text(self._open.episodes)} is not done"
            yield self._open.problem("done-missing-at-end", message, severity="warning")
        modes = {None} if self._sidecar is None else set(self._sidecar.dones)
        if self._early.rows and not modes & {"first_success", "last_frame_of_success"}:
            message = f"next.done is true before the end in {self._early.extent}; rows follow it"
            severity: Severity = "note"
            yield self._early.problem("done-before-end", message, severity=severity)
        if self._undone.rows and self._sidecar is None:
            message = (
                f"{self._undone.extent} have success without done; nothing says whether the episode "
                "was meant to end there"
            )
            yield self._undone.problem("success-without-done", message, severity="note")


def _is_shifted(found: NDArray[np.bool_], said: NDArray[np.bool_], shift: int) -> bool:
    """Whether the labels of an episode are those the sidecar has ``shift`` frames before."""
    here, there = (found[shift:], said[:-shift]) if shift > 0 else (found[:shift], said[-shift:])
    return bool(here.any() and not here.all() and np.array_equal(here, there))

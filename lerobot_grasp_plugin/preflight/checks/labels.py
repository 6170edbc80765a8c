"""Checks the meaning of rewards and dones, and whether they can be learned from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Place, Problem
from lerobot_grasp_plugin.findings.words import several
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import Facts

CLASSIFIER = "env.processor.reward_classifier"
TERMINATE = "env.processor.reset.terminate_on_success"
_FEW_FRAMES = 0.01
_FEW_EPISODES = 0.1


def check_labels(facts: Facts) -> Iterator[Problem]:
    """Compares rewards and dones of the data with those of the environment."""
    threshold = facts.config.number(f"{CLASSIFIER}.success_threshold")
    if threshold is not None and not 0 < threshold < 1:
        message = f"must be between 0 and 1, not {threshold:g}: success would come always or never"
        change = "use the threshold that lerobot-grasp-eval-classifier suggests"
        yield Problem("success-threshold", message, f"{CLASSIFIER}.success_threshold", change)
    labelled = [dataset for dataset in facts.datasets if layout.REWARD in dataset.columns]
    for dataset in labelled:
        yield from _values(facts, dataset)
        if layout.DONE in dataset.columns:
            yield from _dones(facts, dataset)
        yield from _alignment(facts, dataset)
        yield from _balance(dataset)
    known = [dataset for dataset in labelled if dataset.success is not None]
    if known and not any(_success(dataset).any() for dataset in known):
        message = "no row is a success, so nothing can be learned"
        change = "label it (dataset.annotations, lerobot-grasp-relabel), or add episodes that succeed"
        yield Problem("one-class", message, known[0].column_place(layout.REWARD), change)
    if known and all(_success(dataset).all() for dataset in known):
        message = "every row is a success, so nothing can be learned"
        change = "check the annotations: frames before the grasp are failures"
        yield Problem("one-class", message, known[0].column_place(layout.REWARD), change)


def _success(dataset: DatasetFacts) -> NDArray[np.bool_]:
    """Success rows; none if they are unknown."""
    success = dataset.success
    return np.zeros(dataset.frames, dtype=np.bool_) if success is None else success


def _values(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    place = dataset.column_place(layout.REWARD)
    values = np.unique(dataset.columns[layout.REWARD])
    rule = dataset.success_rule
    expected = {value for value in (rule.success_value, rule.failure_value) if value is not None} or {
        0.0,
        1.0,
    }
    odd = [value for value in values.tolist() if not any(np.isclose(value, known) for known in expected)]
    if odd and not dataset.relabelled:
        shown = ", ".join(f"{value:g}" for value in odd[:6])
        known = " and ".join(f"{value:g}" for value in sorted(expected))
        message = f"the rewards {shown} are neither success nor failure; a grasp dataset has {known}"
        yield Problem("unknown-rewards", message, place, "relabel it, or check the meaning of these values")
    reward = facts.config.number(f"{CLASSIFIER}.success_reward")
    if reward is None and facts.classifier is not None:
        reward = 1.0
    given = dataset.columns[layout.REWARD][:, 0][_success(dataset)]
    if reward is not None and len(given) and not odd and not np.isclose(given[0], reward):
        message = f"is {reward:g}, but the dataset rewards success with {given[0]:g}"
        change = f"set it to {given[0]:g}, or relabel with --success_value {reward:g}"
        yield Problem("success-reward", message, f"{CLASSIFIER}.success_reward", change)


def _dones(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    place = dataset.column_place(layout.DONE)
    done = dataset.columns[layout.DONE][:, 0].astype(bool)
    success = _success(dataset)
    ends = dataset.starts + dataset.lengths - 1
    open_ended = dataset.episodes[~done[ends]].tolist()
    if open_ended:
        message = (
            f"the last row of {several(open_ended, 'episode')} is not done, and LeRobot's buffer uses the "
        )
        message += "first row of the next episode as its successor"
        yield Problem("done-not-at-end", message, place, "relabel with --done episode_end or first_success")
    terminate = facts.config.flag(TERMINATE, True)
    episodes = np.repeat(dataset.episodes, dataset.lengths)
    running = list(_running_on(dataset, success, done)) if terminate else []
    if running:
        message = (
            f"the first success of {several(running, 'episode')} is not done, but the environment ends an "
        )
        message += "episode there (terminate_on_success)"
        change = "relabel with --done first_success, or set terminate_on_success to false"
        yield Problem("success-not-done", message, place, change)
    inside = done.copy()
    inside[ends] = False
    if not terminate and (inside & success).any():
        message = (
            f"{int((inside & success).sum())} success rows end their episode, but the environment continues"
        )
        message += " after success (terminate_on_success is false)"
        yield Problem("done-at-success", message, place, "relabel with --done episode_end, or terminate")
    if (inside & ~success).any():
        rows = np.flatnonzero(inside & ~success)
        message = (
            f"{len(rows)} rows inside {several(np.unique(episodes[rows]).tolist(), 'episode')} are done "
        )
        message += "without success"
        yield Problem("done-inside", message, place, "relabel with --done first_success or episode_end")


def _running_on(dataset: DatasetFacts, success: NDArray[np.bool_], done: NDArray[np.bool_]) -> Iterator[int]:
    """Episodes whose first success row is not done; rows after a done row do not count."""
    rows = zip(dataset.starts, dataset.lengths, dataset.episodes, strict=True)
    for start, length, episode in rows:
        mine = success[start : start + length]
        if mine.any() and not done[start + int(mine.argmax())]:
            yield int(episode)


def _alignment(facts: Facts, dataset: DatasetFacts) -> Iterator[Problem]:
    if dataset.relabelled:
        alignment, place = facts.config.text("dataset.alignment"), Place(field="dataset.alignment")
    else:
        alignment = dataset.labels.get("alignment")
        place = Place(str(dataset.root / layout.PROVENANCE_PATH))
    if alignment == "frame":
        message = (
            "row t has the label of image t, but the learner uses it as the reward of the following step"
        )
        change = "relabel for the learner with --alignment next; a reward classifier needs frame"
        yield Problem("alignment", message, place, change)


def _balance(dataset: DatasetFacts) -> Iterator[Problem]:
    """Finds too few successes, in the dataset or in one of its sources."""
    success, place = _success(dataset), dataset.column_place(layout.REWARD)
    done = dataset.columns.get(layout.DONE, np.zeros((len(success), 1)))[:, 0].astype(bool)
    for name, chosen in _parts(dataset):
        mine = success[np.repeat(chosen, dataset.lengths)]
        ended = done[np.repeat(chosen, dataset.lengths)]
        lengths = dataset.lengths[chosen]
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)
        episodes = np.maximum.reduceat(mine, starts) if len(mine) else mine
        sparse = bool(mine.any()) and bool(ended[mine].all())  # one success row ends an episode
        few = episodes.mean() < _FEW_EPISODES if sparse else mine.mean() < _FEW_FRAMES
        if mine.any() and few:
            message = f"{name}: {int(mine.sum())} of {len(mine)} rows ({100 * mine.mean():.1f} %), in "
            message += f"{int(episodes.sum())} of {len(episodes)} episodes, are success"
            yield Problem("class-imbalance", message, place, "add successes, or check the annotations")


def _parts(dataset: DatasetFacts) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    origin = dataset.provenance.sources_of_episodes()
    names = np.array([origin.get(int(episode), dataset.repo_id) for episode in dataset.episodes])
    for name in dict.fromkeys(names.tolist()):
        yield name, names == name

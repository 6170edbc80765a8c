"""``grasp_provenance.json``: what it says of the labels, and whether it is about this dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.content_hash import ContentHashes, in_hash_order
from lerobot_grasp_plugin.core.labels import LabelValues, done_rows
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.dataset.provenance import Provenance
from lerobot_grasp_plugin.findings.problem import GraspError, Place, Problem
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.ops.verification.place import episodes_text
from lerobot_grasp_plugin.ops.verification.rows import Rows
from lerobot_grasp_plugin.ops.verification.view import View


@dataclass(frozen=True)
class SidecarEpisode:
    """What the sidecar says of one episode.

    Attributes:
        source: Which source, 0-based; -1 where it does not say.
        length: Rows; None where it does not say.
        digest: Content hash.
        success: Success rows as half-open ranges; None where the episode was not labelled.
    """

    source: int
    length: int | None
    digest: str | None
    success: Sequence[tuple[int, int]] | None


@dataclass
class Sidecar:
    """The sidecar as far as it can be understood.

    Attributes:
        where: The file.
        episodes: By ``episode_index``.
        names: Name of each source.
        dones: How done was decided in each source; None where it does not say.
        renames: Per source, the name each column had there, where it is another.
        values: The rewards of success and failure; None where nothing was labelled.
        problems: What is wrong with it.
    """

    where: Path
    episodes: dict[int, SidecarEpisode] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    dones: list[str | None] = field(default_factory=list)
    renames: list[dict[str, str]] = field(default_factory=list)
    values: LabelValues | None = None
    problems: list[Problem] = field(default_factory=list)

    def done_of(self, episode: int) -> str | None:
        """How done was decided in an episode."""
        entry = self.episodes.get(episode)
        known = entry is not None and 0 <= entry.source < len(self.dones)
        return self.dones[entry.source] if entry is not None and known else None


def read_sidecar(view: View) -> Sidecar | None:
    """Reads the sidecar of a dataset; None where it has none."""
    path = view.root / layout.PROVENANCE_PATH
    if "meta" in view.closed or not path.exists():
        return None
    sidecar = Sidecar(path)
    try:
        raw = read_json(path)
        sidecar.values = Provenance.of(raw).values  # also where other parts are damaged
        _read(sidecar, raw)
    except GraspError as error:
        sidecar.problems += [_softened(problem) for problem in error.problems]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        message = f"it is not what this package writes: {type(error).__name__} at {error}"
        sidecar.problems.append(Problem("bad-sidecar", message, path, severity="warning"))
    if not sidecar.problems:
        sidecar.problems += _other_data(view, sidecar)
    return sidecar


def _softened(problem: Problem) -> Problem:
    return Problem("bad-sidecar", problem.message, problem.place, severity="warning")


def _read(sidecar: Sidecar, raw: Any) -> None:
    for source in raw["sources"]:
        sidecar.names.append(str(source["repo_id"]).rsplit("/", 1)[-1])
        sidecar.dones.append(_text(source.get("done"), "done"))
        sidecar.renames.append({new: old for old, new in (source.get("rename") or {}).items()})
    labels = raw.get("labels")
    if labels is not None and LabelValues.of(labels) is None:
        raise ValueError("labels, whose success_value and failure_value are not two different numbers")
    for entry in raw["episodes"]:
        ranges = entry.get("success")
        success = None if ranges is None else [(int(start), int(stop)) for start, stop in ranges]
        length = None if entry.get("length") is None else int(entry["length"])
        episode = int(entry["episode_index"])
        if episode in sidecar.episodes:
            raise ValueError(f"episode {episode}, which is there twice")
        for start, stop in success or ():
            if not 0 <= start < stop <= (stop if length is None else length):
                raise ValueError(f"success [{start}, {stop}] of episode {episode}, which has {length} frames")
        digest = _text(entry.get("content_sha256"), "content_sha256")
        sidecar.episodes[episode] = SidecarEpisode(int(entry.get("source", -1)), length, digest, success)


def _text(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} {value!r}, which should be text")
    return value


def _other_data(view: View, sidecar: Sidecar) -> Iterator[Problem]:
    if view.episodes is None:
        return
    lengths = dict(zip(view.episodes.indices.tolist(), view.episodes.lengths.tolist(), strict=True))
    hint = "it belongs to another version of this dataset; what it says of the labels does not hold"
    if set(lengths) != set(sidecar.episodes):
        message = f"it is about {count(len(sidecar.episodes), 'episode')}, the dataset has {len(lengths)}"
        yield Problem("sidecar-of-other-data", message, sidecar.where, hint)
        return
    wrong = [
        episode
        for episode, entry in sidecar.episodes.items()
        if entry.length is not None and lengths[episode] >= 0 and entry.length != lengths[episode]
    ]
    if wrong:
        first = min(wrong)
        message = (
            f"it says {sidecar.episodes[first].length} frames, the episodes list {lengths[first]}; "
            f"{episodes_text(wrong)}"
        )
        yield Problem("sidecar-of-other-data", message, Place(str(sidecar.where), episode=first), hint)


class ContentCheck:
    """The content hash of every episode against the sidecar's.

    Only where all columns are numbers of the declared type: text and pictures are hashed in a form that
    depends on the version of pyarrow.
    """

    def __init__(self, view: View, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._names = [
            name
            for name, feature in view.info.features.items()
            if feature["dtype"] != "video" and name not in layout.NOT_HASHED
        ]
        features = view.info.features
        self._types = {
            name: features[name]["dtype"] for name in self._names if is_numeric(features[name]["dtype"])
        }
        self._possible = len(self._types) == len(self._names) and not sidecar.problems
        self._wrong: dict[int, None] = {}

    def see(self, rows: Rows) -> None:
        self._possible &= all(
            name in rows.columns and rows.columns[name].dtype.name == dtype
            for name, dtype in self._types.items()
        )
        if not self._possible:
            return
        for run, episode in enumerate(rows.episodes.tolist()):
            entry = self._sidecar.episodes.get(episode)
            if entry is None or entry.digest is None or rows.lengths[run] != entry.length:
                continue
            known = 0 <= entry.source < len(self._sidecar.renames)
            original = self._sidecar.renames[entry.source] if known else {}
            if self._digest(rows, run, original) != entry.digest:
                self._wrong[episode] = None

    def _digest(self, rows: Rows, run: int, original: Mapping[str, str]) -> str:
        start, length = int(rows.offsets[run]), int(rows.lengths[run])
        hashes = ContentHashes(1)
        for name in in_hash_order(self._names, original):
            piece = np.ascontiguousarray(rows.columns[name][start : start + length])
            hashes.add(original.get(name, name), [memoryview(piece).cast("B")])
        return hashes.hexdigests()[0]

    def found(self) -> Iterator[Problem]:
        if self._wrong and self._possible:
            message = f"the rows of {episodes_text(self._wrong)} are not those it was written for"
            hint = "columns other than labels were changed since, or the sidecar is another dataset's"
            yield Problem(
                "sidecar-of-other-data",
                message,
                Place(str(self._sidecar.where), episode=min(self._wrong)),
                hint,
            )


def expected_done(mode: str | None, success: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Where done should be true, by the sidecar's word; None where it does not tell."""
    match mode:
        case "episode_end" | "first_success" | "last_frame_of_success":
            return done_rows(success, mode)
        case _:
            return None

"""Checks whether ``grasp_provenance.json`` belongs to this dataset, and reads its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.content_hash import ContentHashes, in_hash_order
from lerobot_grasp_plugin.core.labels import done_rows
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.provenance import Provenance, find_provenance
from lerobot_grasp_plugin.dataset.recording import read_recording
from lerobot_grasp_plugin.findings.problem import EPISODES, Place, Problem, the_episodes
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.view import View


def read_sidecar(view: View) -> Provenance | None:
    """Reads the sidecar of a dataset, and whether it belongs to it; None without a sidecar."""
    sidecar = find_provenance(view.root)
    if sidecar is None or sidecar.problems:
        return sidecar
    return replace(sidecar, problems=list(_other_data(view, sidecar)))


def _other_data(view: View, sidecar: Provenance) -> Iterator[Problem]:
    """Names what sidecar and dataset state differently; the recording sidecar alone lists later episodes."""
    if view.episodes is None:
        return
    lengths = dict(zip(view.episodes.indices.tolist(), view.episodes.lengths.tolist(), strict=True))
    hint = "the sidecar belongs to another version of this dataset; its labels are not used"
    recording = read_recording(view.root)
    added = {
        episode
        for episode in lengths.keys() - sidecar.episodes.keys()
        if recording is not None and recording.entry(episode) is not None
    }
    if lengths.keys() - added != sidecar.episodes.keys():
        message = f"the sidecar has {count(len(sidecar.episodes), 'episode')}, the dataset has {len(lengths)}"
        yield Problem("sidecar-of-other-data", message, sidecar.path, hint)
        return
    wrong = [
        episode
        for episode, entry in sidecar.episodes.items()
        if entry.length is not None and lengths[episode] >= 0 and entry.length != lengths[episode]
    ]
    if wrong:
        first = min(wrong)
        message = (
            f"the sidecar says {sidecar.episodes[first].length} frames, the episodes list "
            f"{lengths[first]}; {EPISODES}"
        )
        place = Place(str(sidecar.path), episode=first)
        yield Problem("sidecar-of-other-data", message, place, hint, episodes=the_episodes(wrong))


class ContentCheck:
    """Compares the content hash of every episode with the sidecar's.

    Only where all columns are numbers of the declared type: text and images are hashed in a form that
    depends on the version of pyarrow.
    """

    def __init__(self, view: View, sidecar: Provenance) -> None:
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
            if entry is None or entry.content_sha256 is None or rows.lengths[run] != entry.length:
                continue
            source = self._sidecar.source_of(episode)
            original = {} if source is None else {new: old for old, new in source.rename.items()}
            if self._digest(rows, run, original) != entry.content_sha256:
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
            message = f"the rows of {EPISODES} differ from those that the sidecar was written for"
            hint = "columns other than labels were changed, or the sidecar belongs to another dataset"
            yield Problem(
                "sidecar-of-other-data",
                message,
                Place(str(self._sidecar.path), episode=min(self._wrong)),
                hint,
                episodes=the_episodes(self._wrong),
            )


def expected_done(mode: str | None, success: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Where done should be true by the sidecar; None if it does not say."""
    match mode:
        case "episode_end" | "first_success" | "last_frame_of_success":
            return done_rows(success, mode)
        case _:
            return None

"""The content hash of an episode: SHA-256 over its columns, which tells whether two episodes are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping


class ContentHashes:
    """Content hashes of several episodes.

    Each column counts with its name and its values, columns in the order of their names in the source, so
    that a renamed column changes nothing. Indices, timestamps and labels are left out by the caller
    (``layout.NOT_HASHED``): merge and relabel change them.

    Args:
        episodes: Number of episodes.
    """

    def __init__(self, episodes: int) -> None:
        self._digests = [hashlib.sha256() for _ in range(episodes)]

    def add(self, name: str, values: Iterable[bytes | memoryview]) -> None:
        """Adds a column.

        Args:
            name: Its name in the source.
            values: Its bytes in each episode.
        """
        label = name.encode() + b"\0"
        for digest, piece in zip(self._digests, values, strict=True):
            digest.update(label)
            digest.update(piece)

    def hexdigests(self) -> list[str]:
        """The hash of each episode."""
        return [digest.hexdigest() for digest in self._digests]


def in_hash_order(names: Iterable[str], source_names: Mapping[str, str]) -> list[str]:
    """Columns in the order in which they are hashed.

    Args:
        names: By their names in the dataset.
        source_names: Name in the dataset -> name in the source, where it is another one.
    """
    return sorted(names, key=lambda name: source_names.get(name, name))

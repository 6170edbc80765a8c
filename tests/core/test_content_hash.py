from __future__ import annotations

import hashlib

from lerobot_grasp_plugin.core.content_hash import ContentHashes, in_hash_order


def test_each_column_counts_with_its_name_and_its_values() -> None:
    hashes = ContentHashes(2)
    hashes.add("action", [b"12", b"3"])
    hashes.add("state", [b"x", b"y"])
    wanted = [
        hashlib.sha256(b"action\0" + a + b"state\0" + s).hexdigest() for a, s in ((b"12", b"x"), (b"3", b"y"))
    ]
    assert hashes.hexdigests() == wanted


def test_a_renamed_column_keeps_its_place() -> None:
    assert in_hash_order(["b", "renamed", "c"], {"renamed": "a"}) == ["renamed", "b", "c"]

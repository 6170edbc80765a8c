"""Folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from lerobot_grasp_plugin import UsageError
from lerobot_grasp_plugin.writers import link
from lerobot_grasp_plugin.writers.link import take_over
from lerobot_grasp_plugin.writers.staging import move_to_place, staged, staging_leftovers, swap
from tests.support.factories import tree


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep/er/out"
    with staged(target) as staging:
        assert staging.parent == target.parent
        assert staging_leftovers(target) == []  # it is in use
        (staging / "file").write_text("x")
        assert not target.exists()
    assert tree(target.parent) == tree(target.parent)
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught, staged(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("x")
    with pytest.raises(UsageError, match=r"labels\.txt is a file"), staged(tmp_path / "labels.txt/deep/out"):
        pass


def test_a_folder_is_built_in_one_that_is_being_built(tmp_path: Path) -> None:
    def build() -> None:
        with staged(tmp_path / "cache") as outer, staged(outer / "dataset") as inner:
            (inner / "info.json").write_text("{}")

    builder = threading.Thread(target=build, daemon=True)  # one that waits for itself never ends
    builder.start()
    builder.join(60)
    assert tree(tmp_path / "cache").keys() == {"dataset/info.json"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_appears_after_an_error(error: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(error), staged(tmp_path / "out") as staging:  # noqa: PT012
        (staging / "folder").mkdir()
        raise error
    assert list(tmp_path.iterdir()) == []


def interrupted(target: Path, other: Path | None = None) -> None:
    """A run that ends with an error, and meanwhile another one that writes another target."""
    with staged(target) as staging:
        (staging / "file").write_text("half")
        if other is not None:
            with staged(other):
                pass
        raise RuntimeError


@pytest.mark.parametrize("place", ["new/deep/out", "new/../out", "old/new/out"])
def test_no_folder_is_left_after_an_error(place: str, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with pytest.raises(RuntimeError):
        interrupted(tmp_path / place)
    assert list(tmp_path.rglob("*")) == [tmp_path / "old"]


def test_a_folder_that_another_run_uses_stays(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        interrupted(tmp_path / "new/one", tmp_path / "new/other")
    assert list(tmp_path.rglob("*")) == [tmp_path / "new", tmp_path / "new/other"]


def test_an_empty_folder_that_comes_up_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(UsageError), staged(tmp_path / "out"):
        (tmp_path / "out").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_to_nothing_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "nothing")
    with pytest.raises(UsageError):
        move_to_place(tmp_path / "staging", tmp_path / "out")
    assert (tmp_path / "staging").is_dir()
    assert (tmp_path / "out").is_symlink()


def test_swap_keeps_every_backup(tmp_path: Path) -> None:
    target = tmp_path / "set"
    target.mkdir()
    (target / "version").write_text("0")
    for number in (1, 2, 3):
        staging = tmp_path / "staging"
        staging.mkdir()
        (staging / "version").write_text(str(number))
        backup = swap(staging, target)
        assert (backup / "version").read_text() == str(number - 1)
        assert (target / "version").read_text() == str(number)
    assert len(list(tmp_path.iterdir())) == 4


def test_swap_goes_back_when_the_second_rename_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "staging").mkdir()
    (tmp_path / "set/old").write_text("x")
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        if Path(source).name == "staging":
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="no"):
        swap(tmp_path / "staging", tmp_path / "set")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "staging"]
    assert (tmp_path / "set/old").exists()


@pytest.mark.parametrize("mode", ["auto", "copy", "hard"])
def test_taking_a_file_over(mode: Any, tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x" * 5000)
    source.chmod(0o600)
    (tmp_path / "link").symlink_to(source)
    way = take_over(tmp_path / "link", tmp_path / "b/c", mode)
    copy = tmp_path / "b/c"
    assert copy.read_bytes() == source.read_bytes()
    assert not copy.is_symlink()
    assert (copy.stat().st_ino == source.stat().st_ino) == (mode == "hard")
    assert way == {"hard": "hard link", "copy": "copy"}.get(mode, way)
    if mode != "hard":
        copy.write_bytes(b"changed")
        assert source.read_bytes() == b"x" * 5000


def test_auto_copies_where_extents_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refusing(*_: object) -> int:
        raise OSError(95, "not supported")

    monkeypatch.setattr(fcntl, "ioctl", refusing)
    (tmp_path / "a").write_text("content")
    assert link.take_over(tmp_path / "a", tmp_path / "b", "auto") == "copy"
    assert (tmp_path / "b").read_text() == "content"

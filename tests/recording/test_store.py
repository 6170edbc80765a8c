"""Episodes that cannot be saved leave the dataset as it was."""

from __future__ import annotations

import errno
from unittest.mock import Mock

import pytest

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import DatasetError, UsageError
from lerobot_grasp_plugin.merging.recipe import RelabelConfig
from lerobot_grasp_plugin.merging.relabel import relabel
from lerobot_grasp_plugin.recording import checkpoint
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support.small_store import SUCCESS, add, opened, save


def files(root) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_full_disk_loses_the_episode_that_did_not_fit(tmp_path, monkeypatch):
    root = tmp_path / "arm"
    store = opened(root)
    save(store)
    before = files(root)
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "commit", Mock(side_effect=OSError(errno.ENOSPC, "disk full")))
        with pytest.raises(OSError, match="disk full"):
            save(store)
    assert files(root) == before
    assert save(store) == 1
    store.close()
    assert verify_dataset(root).ok
    assert not checkpoint.checkpoint_path(root).exists()


def test_lost_frames_are_refused(tmp_path):
    store = opened(tmp_path / "arm")
    save(store)
    add(store)
    store.dataset.writer._streaming_encoder = Mock(_dropped_frames={"front": 2})
    with pytest.raises(DatasetError, match="lost frames"):
        store.save(SUCCESS, {"length": 4, "success": [[2, 4]]})
    assert save(store) == 1
    store.close()


def test_the_last_episode_can_be_taken_back(tmp_path):
    root = tmp_path / "arm"
    store = opened(root)
    save(store)
    before = files(root)
    save(store)
    store.take_back()
    assert files(root) == before
    assert store.annotations.episodes() == {0: IntervalSet([FrameInterval(2, None)])}
    store.close()
    with pytest.raises(UsageError, match="labelled with"):
        opened(root, resume=True, alignment="next")
    with pytest.raises(UsageError, match="already exists"):
        opened(root)


def test_an_interrupted_session_is_put_in_order(tmp_path):
    root = tmp_path / "arm"
    store = opened(root)
    save(store)
    before = files(root)
    add(store)
    store.dataset.save_episode()  # and the process is gone: no footer, wrong totals
    store.annotations.path.unlink()
    said: list[str] = []
    resumed = opened(root, said, resume=True)
    assert "The dataset has 1 finished episodes" in said[0]
    assert "files); moved it to" in said[1]
    assert (tmp_path / "arm.interrupted-1").is_dir()
    assert {name: data for name, data in files(root).items() if name in before} == before
    assert resumed.annotations.episodes() == {0: IntervalSet([FrameInterval(2, None)])}
    assert save(resumed) == 1
    resumed.close()
    assert verify_dataset(root).ok


def test_a_relabelled_dataset_that_is_resumed_is_sound(tmp_path):
    root = tmp_path / "arm"
    store = opened(root)
    for first in (0, 5, 30):
        save(store, length=8, first=first)
    store.close()
    (tmp_path / "labels.txt").write_text("0: 2-3\n1: 1-\n2: all fail\n")
    relabel(RelabelConfig(root=root, annotations=tmp_path / "labels.txt", in_place=True))

    store = opened(root, resume=True)
    save(store, length=5, first=50)
    store.take_back()
    for first in (7, 90):
        assert save(store, length=6, first=first) >= 3
    store.close()

    assert {problem.code for problem in verify_dataset(root).problems if problem.severity != "note"} == {
        "short-episode"
    }


def test_a_relabelled_dataset_without_statistics_is_resumed(tmp_path):
    root = tmp_path / "arm"
    store = opened(root)
    save(store)
    store.close()
    (tmp_path / "labels.txt").write_text("0: 2-3\n")
    relabel(RelabelConfig(root=root, annotations=tmp_path / "labels.txt", in_place=True))
    (root / "meta/stats.json").unlink()

    store = opened(root, resume=True)
    assert save(store) == 1
    store.close()

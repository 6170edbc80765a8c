"""One writer at a time: who holds the lock, who is refused, and what ends it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lerobot_grasp_plugin.commands.outline import read_outline
from lerobot_grasp_plugin.commands.record import _check
from lerobot_grasp_plugin.dataset.writer_lock import WriterLock, lock_path, other_writer, refuse_in_use
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.merging.merge import merge
from lerobot_grasp_plugin.merging.recipe import MergeConfig, RelabelConfig, SourceConfig
from lerobot_grasp_plugin.merging.relabel import relabel
from lerobot_grasp_plugin.recording.leftovers import leftover_lines, running_children
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support.factories import Legacy, write_legacy

HOLDS = """
import os, sys
from pathlib import Path
from lerobot_grasp_plugin.dataset.writer_lock import WriterLock
lock = WriterLock(Path(sys.argv[1]), "recorded")
child = os.fork()  # as LeRobot's encoders are
if child:
    print(child, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Any]:
    """Another process, with a child of its own, that records into the folder ``arm``."""
    called = [sys.executable, "-c", HOLDS, str(tmp_path / "arm")]
    with subprocess.Popen(called, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.child = int(process.stdout.readline())  # type: ignore[attr-defined]  # an attribute of its own
        yield process
        process.kill()


def test_a_second_writer_is_refused_until_the_first_has_died(tmp_path: Path, writer: Any) -> None:
    root = tmp_path / "arm"
    with pytest.raises(UsageError, match=rf"is being recorded by process {writer.pid}: -c \S+arm"):
        WriterLock(root, "recorded")
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    assert other_writer(tmp_path / "link").pid == writer.pid
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    os.kill(writer.child, 0)  # its child lives on, and holds nothing
    assert other_writer(root) is None
    lock = WriterLock(root, "recorded")
    assert lock.killed.pid == writer.pid
    assert lock.killed is not None
    assert running_children(lock.killed) == [writer.child]
    (tmp_path / "arm.interrupted-1").mkdir()
    assert list(leftover_lines(root, lock.killed)) == [
        "Unfinished episodes of interrupted sessions are kept; to remove them:",
        f"  rm -r {tmp_path / 'arm.interrupted-1'}",
        "The killed session left a process; to stop:",
        f"  kill {writer.child}",
    ]
    assert other_writer(root) is None  # not another one
    with WriterLock(root, "relabelled"):
        pass
    lock.release()
    assert not lock_path(root).exists()
    with WriterLock(root, "recorded") as lock:
        assert lock.killed is None
        assert list(leftover_lines(root.with_name("ar"), lock.killed)) == []


@pytest.fixture
def in_use() -> Iterator[Callable[[Path], None]]:
    """A function that makes a dataset one that process 1 records."""
    held = []

    def hold(root: Path) -> None:
        descriptor = os.open(lock_path(root), os.O_RDWR | os.O_CREAT)
        held.append(descriptor)
        os.write(descriptor, json.dumps({"pid": 1, "command": "record --x=1", "doing": "recorded"}).encode())
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    yield hold
    for descriptor in held:
        os.close(descriptor)


def test_commands_refuse_a_dataset_that_is_being_recorded(
    tmp_path: Path, in_use: Callable[[Path], None]
) -> None:
    root = write_legacy(tmp_path / "arm", Legacy())
    annotations = tmp_path / "labels.txt"
    annotations.write_text("00: all fail\n")
    in_use(root)
    with pytest.raises(UsageError, match="recorded by process 1: record --x=1"):
        refuse_in_use(root)
    for options in ({"in_place": True}, {"new_root": tmp_path / "new", "new_repo_id": "lab/new"}):
        config = RelabelConfig(root=root, annotations=annotations, unlisted="fail", **options)
        with pytest.raises(UsageError, match="recorded by process 1"):
            relabel(config)
    recipe = MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "new", new_repo_id="lab/new")
    with pytest.raises(UsageError, match="recorded by process 1"):
        merge(recipe)
    assert not (tmp_path / "new").exists()


def test_verify_says_who_records(tmp_path: Path, in_use: Callable[[Path], None]) -> None:
    root = write_legacy(tmp_path / "arm", Legacy())
    before = verify_dataset(root, level="meta")
    in_use(root)
    report = verify_dataset(root, level="meta")
    assert report.ok == before.ok
    (problem,) = [problem for problem in report.problems if problem.code == "dataset-in-use"]
    assert problem.message == "the dataset is being recorded by process 1: record --x=1"


def test_a_second_session_is_refused_before_lerobot_is_imported(
    tmp_path: Path, in_use: Callable[[Path], None]
) -> None:
    root = tmp_path / "arm"
    in_use(root)
    flags = ["--dataset.repo_id=lab/arm", f"--dataset.root={root}", "--robot.type=x", "--resume=true"]
    call = read_outline(flags, "record")
    with pytest.raises(UsageError, match="recorded by process 1"):
        _check(call)

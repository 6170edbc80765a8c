"""What an interrupted, starved or disturbed run leaves behind: nothing, or something with a known name."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lerobot_grasp_plugin import (
    DatasetError,
    MergeConfig,
    RelabelConfig,
    SourceConfig,
    UsageError,
    merge,
    relabel,
)
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from lerobot_grasp_plugin.writers.staging import backups, staging_leftovers
from tests.support.factories import Legacy, change_info, tree, write_legacy
from tests.support.project import environment

BIN = Path(sys.executable).parent
type Recorded = Callable[[str], Path]


def test_kills_at_random_moments_lose_nothing() -> None:
    rounds = os.environ.get("GRASP_KILL_ROUNDS", "6")
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.kill_rounds", "--rounds", rounds]
    command += ["--seed", "0"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"{rounds} rounds") == 3, done.stdout


BOUNDARIES = """
import os, signal, sys
from pathlib import Path
from lerobot_grasp_plugin.writers import staging

stop, exchanges = int(sys.argv[2]), sys.argv[3] == "exchange"
steps = 0

def step(action):
    def called(*values):
        global steps
        steps += 1
        if steps == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        result = action(*values)
        return result
    return called

if not exchanges:
    staging.exchange = lambda one, other: False
staging.exchange = step(staging.exchange)
staging.sync = step(staging.sync)
staging.os.rename = step(os.rename)
target = Path(sys.argv[1])
with staging.claimed(target) as folder:
    (folder / "version").write_text("new")
    staging.swap(folder, target)
"""


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_swap_killed_before_each_of_its_steps(way: str, tmp_path: Path) -> None:
    script = tmp_path / "swap.py"
    script.write_text(BOUNDARIES)
    ended = None
    for stop in range(1, 10):
        target = tmp_path / f"{stop}" / "set"
        target.mkdir(parents=True)
        (target / "version").write_text("old")
        command = [sys.executable, script, str(target), str(stop), way]
        ended = subprocess.run(command, check=False).returncode
        found = {path: (path / "version").read_text() for path in target.parent.iterdir()}
        known = {target, *backups(target), *staging_leftovers(target)}
        assert set(found) <= known
        assert sorted(found.values()) == ["new", "old"], stop
        kept = {path: version for path, version in found.items() if path not in staging_leftovers(target)}
        assert "old" in kept.values(), "the old one stands under a name that says it may be removed"
        if way == "exchange":
            assert target in found
        if ended == 0:
            break
    assert ended == 0
    assert stop >= 3


def test_an_interrupted_swap_says_how_to_put_the_old_one_back(copied: Recorded, tmp_path: Path) -> None:
    root = copied("av1")
    (tmp_path / "labels.txt").write_text("0: 3-\n")
    os.rename(root, f"{root}.backup-12")
    config = RelabelConfig(root=root, annotations=tmp_path / "labels.txt", in_place=True, unlisted="fail")
    with pytest.raises(UsageError) as caught:
        relabel(config)
    [problem] = caught.value.problems
    assert problem.code == "interrupted-swap"
    assert f"mv '{root}.backup-12' '{root}'" in problem.hint


# -- disks -----------------------------------------------------------------------------------------


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A small file system of its own; the test is skipped where mounting is not permitted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def merge_command(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "lerobot-grasp-merge", "--sources", f'[{{"root": "{source}"}}]', "--new_root", target]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("size", ["8k", "48k", "96k"])
def test_a_disk_that_fills_up(size: str, recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("split")
    before = tree(source)
    with mounted(tmp_path / "small", size) as disk:
        done = merge_command(source, disk / "out")
        assert done.returncode in (1, 2), done.stderr
        assert "Traceback" not in done.stderr
        assert "o space left" in done.stderr
        assert "nothing was written" in done.stderr
        assert list(disk.iterdir()) == []
    assert tree(source) == before


def test_a_target_that_is_read_only(recorded: Recorded, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        done = merge_command(recorded("av1"), disk / "out")
        assert done.returncode == 2
        assert "[cannot-write]" in done.stderr
        assert "Read-only file system" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_source_that_is_read_only(recorded: Recorded, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "4m") as disk:
        shutil.copytree(recorded("av1"), disk / "av1")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        done = merge_command(disk / "av1", tmp_path / "out")
        assert done.returncode == 0, done.stderr


def test_a_write_that_fails_is_named(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr("lerobot_grasp_plugin.writers.staging.sync", failing)
    with pytest.raises(OSError, match="Input/output error"):
        merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


# -- sources ---------------------------------------------------------------------------------------


def grow(root: Path) -> None:
    with next(root.rglob("data/**/*.parquet")).open("ab") as file:
        file.write(b"more")


def rewrite(root: Path) -> None:
    change_info(root, total_frames=1)


def lose(root: Path) -> None:
    next(root.rglob("data/**/*.parquet")).unlink()


def lose_video(root: Path) -> None:
    next(root.rglob("*.mp4")).unlink()


def lose_all(root: Path) -> None:
    shutil.rmtree(root)


@pytest.mark.parametrize("damage", [grow, rewrite, lose, lose_video, lose_all])
@pytest.mark.parametrize(
    ("kind", "moment"),
    [("v3.0", "reading videos"), ("v3.0", "writing tables"), ("v2.1", "writing tables")],
)
def test_a_source_that_changes_while_it_is_read(
    kind: str, moment: str, damage: Callable[[Path], None], copied: Recorded, tmp_path: Path
) -> None:
    root = copied("split") if kind == "v3.0" else write_legacy(tmp_path / "source", Legacy())
    happened = []

    def meanwhile(step: str, done: int, total: int) -> None:
        if step == moment and not happened:
            happened.append(step)
            damage(root)

    sources = [SourceConfig(root=root, episodes=[0, 2])]
    with pytest.raises(DatasetError) as caught:
        merge(MergeConfig(sources=sources, new_root=tmp_path / "new/out"), meanwhile)
    assert happened
    assert {problem.code for problem in caught.value.problems} & {"source-changed", "missing-file"}
    assert not (tmp_path / "new").exists() or list((tmp_path / "new").iterdir()) == []


# -- several runs, and Ctrl+C ----------------------------------------------------------------------


def test_two_runs_for_one_target(recorded: Recorded, tmp_path: Path) -> None:
    config = MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "out")
    refused = []

    def rival(step: str, done: int, total: int) -> None:
        if step == "writing tables" and not refused:
            assert staging_leftovers(tmp_path / "out") == [], "a run that goes on is no leftover"
            with pytest.raises(UsageError) as caught:
                merge(config)
            refused.extend(caught.value.problems)

    report = merge(config, rival)
    assert [problem.code for problem in refused] == ["target-in-use"]
    assert not [problem for problem in report.warnings if problem.code == "interrupted-run"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_processes_started_together(recorded: Recorded, tmp_path: Path) -> None:
    command = [BIN / "lerobot-grasp-merge", "--sources", f'[{{"root": "{recorded("av1")}"}}]']
    command += ["--new_root", tmp_path / "out"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [run.communicate()[1] for run in both]
    assert sorted(run.returncode for run in both) == [0, 2], errors
    lost = next(error for run, error in zip(both, errors, strict=True) if run.returncode)
    assert "target-in-use" in lost or "target-exists" in lost
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


INTERRUPTED = """
import os, signal, sys
from lerobot_grasp_plugin.commands import merge, run

def interrupting(self, step, done, total):
    if step == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
run.TerminalProgress.__call__ = interrupting
sys.exit(merge.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("moment", ["reading videos", "writing tables", "writing videos"])
def test_ctrl_c(moment: str, recorded: Recorded, tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, moment, "--sources"]
    command += [
        f'[{{"root": "{recorded("split")}", "episodes": "0-3"}}]',
        "--new_root",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 130, done.stderr
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_at_any_moment(recorded: Recorded, tmp_path: Path) -> None:
    command = [BIN / "lerobot-grasp-merge", "--sources", f'[{{"root": "{recorded("split")}"}}]']
    for number, delay in enumerate((0.05, 0.2, 0.5, 0.8)):
        target = tmp_path / str(number) / "out"
        run = subprocess.Popen([*command, "--new_root", target], stderr=subprocess.PIPE, text=True)
        try:
            run.wait(delay)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGINT)
        _, said = run.communicate()
        too_early = "init_import_site" in said  # Python itself was still starting
        assert run.returncode in (0, 130, -signal.SIGINT) or too_early, said
        left = list(target.parent.iterdir()) if target.parent.exists() else []
        assert left in ([], [target])
        assert left or run.returncode != 0
        assert not left or verify_dataset(target).ok  # the signal may come when all is done

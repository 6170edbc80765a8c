"""Kills merge and relabel at random moments, and looks what is left.

    python -m tests.support.kill_rounds [--rounds 200] [--seed 0]

Every run is a child of this process, which has imported everything before, so that the kills fall into the
work and not into the start of Python. After each kill: the sources are byte-identical, the target is absent
or complete, what is left beside it is recognised and can be removed, and a second run succeeds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import lerobot_grasp_plugin.merging.merge
import lerobot_grasp_plugin.merging.relabel  # noqa: F401  # loaded before the first fork
from lerobot_grasp_plugin import MergeConfig, RelabelConfig, SourceConfig, merge, relabel
from lerobot_grasp_plugin.dataset.writer_lock import lock_path
from lerobot_grasp_plugin.writers.staging import backups, staging_leftovers
from tests.support.factories import Legacy, tree, write_legacy

ANNOTATIONS = "# index_base: 1\n0: 3-\n1: 2-4\n2: all fail\n3: 1-2, 5-\n"
LENGTHS = (6, 4, 5, 7)


def fork(action: Callable[[], object]) -> int:
    """Runs an action in a child; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        action()
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def ends(pid: int) -> int:
    """Waits for a child; returns its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def done(action: Callable[[], object]) -> None:
    assert ends(fork(action)) == 0


class Rounds:
    """One operation, killed again and again."""

    def __init__(self, home: Path, operation: str) -> None:
        self.operation = operation
        self.home = home
        self.sources = home / "sources"
        self.annotations = home / "labels.txt"
        self.target = home / "work" / "out"
        self.target.parent.mkdir(parents=True)
        self.annotations.write_text(ANNOTATIONS)
        for name, seed in (("one", 1), ("other", 2)):
            done(lambda name=name, seed=seed: write_legacy(self.sources / name, Legacy(LENGTHS, seed=seed)))
        self.before = tree(self.sources)
        self.old: dict[str, str] | None = None
        if operation == "in place":
            done(self._make_first)
            shutil.copytree(self.target, home / "first")
            self.old = tree(self.target)
        start = time.monotonic()
        done(self.run)
        self.duration = time.monotonic() - start
        self.new = tree(self.target)
        self.counts: Counter[str] = Counter()
        self.clear()

    def _make_first(self) -> None:
        sources = [SourceConfig(root=self.sources / "one")]
        merge(MergeConfig(sources=sources, annotations=self.annotations, new_root=self.target, link="copy"))
        self.annotations.write_text(ANNOTATIONS.replace("3-", "4-"))

    def run(self) -> None:
        one, other = self.sources / "one", self.sources / "other"
        if self.operation == "merge":
            sources = [SourceConfig(root=one), SourceConfig(root=other, episodes=[0, 2])]
            report = merge(MergeConfig(sources=sources, new_root=self.target))
        elif self.operation == "relabel":
            report = relabel(RelabelConfig(root=one, annotations=self.annotations, new_root=self.target))
        else:
            report = relabel(RelabelConfig(root=self.target, annotations=self.annotations, in_place=True))
        named = [problem.place.path for problem in report.warnings if problem.code == "interrupted-run"]
        (self.home / "named.json").write_text(json.dumps(named))

    def clear(self) -> None:
        shutil.rmtree(self.target.parent)
        self.target.parent.mkdir()
        if self.old is not None:
            shutil.copytree(self.home / "first", self.target)

    def round(self, delay: float) -> None:
        """One kill after ``delay`` seconds, and everything that must hold then."""
        pid = fork(self.run)
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        self.counts["killed" if ends(pid) == -signal.SIGKILL else "finished before"] += 1
        self.check()
        self.clear()

    def check(self) -> None:
        """That nothing is lost and everything left has a known name; then that a second run succeeds."""
        assert tree(self.sources) == self.before, "a source changed"
        left, kept = staging_leftovers(self.target), backups(self.target)
        there = [self.target] if self.target.exists() else []
        lock = lock_path(self.target)
        assert {*left, *kept, *there} == {*self.target.parent.iterdir()} - {lock}, "an unknown name"
        whole = [self.new] if self.old is None else [self.old, self.new]
        assert all(tree(folder) in whole for folder in (*there, *kept)), "a folder is not complete"
        self.counts["target complete" if there else "target absent"] += 1
        self.counts["left a staging folder"] += bool(left)
        if self.old is not None:
            assert self.old in [tree(folder) for folder in (*there, *kept)], "the old dataset is lost"
            if not there:
                os.rename(kept[-1], self.target)
        elif there:
            shutil.rmtree(self.target)
        done(self.run)
        assert json.loads((self.home / "named.json").read_text()) == list(map(str, left)), (
            "a leftover unnamed"
        )
        assert tree(self.target) == self.new, "the second run wrote something else"
        assert not lock.exists(), "the second run left its lock"
        for folder in left:
            shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200, help="kills of each operation")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    for operation in ("merge", "relabel", "in place"):
        home = Path(tempfile.mkdtemp(prefix="grasp-kill-"))
        try:
            rounds = Rounds(home, operation)
            for _ in range(arguments.rounds):
                rounds.round(random.uniform(0, rounds.duration * 1.1))
        finally:
            shutil.rmtree(home)
        counts = ", ".join(f"{what}: {count}" for what, count in sorted(rounds.counts.items()))
        print(f"{operation}: {arguments.rounds} rounds over {rounds.duration:.3f} s; {counts}", flush=True)


if __name__ == "__main__":
    main()

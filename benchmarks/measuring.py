"""Runs whole processes and keeps the books: wall time, CPU time, peak memory, bytes written."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = [sys.executable]
REPEAT_UP_TO_S = 60.0


class BenchmarkError(Exception):
    """A command did not do what it is measured for."""


@dataclass
class Run:
    """One command, or several in a row, from start to end."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    written_mb: float = 0.0


@dataclass
class Measurement:
    """A way to do something, and what its runs took."""

    part: str
    name: str
    runs: list[Run] = field(default_factory=list)

    @property
    def typical(self) -> Run:
        """The run of median wall time."""
        ordered = sorted(self.runs, key=lambda run: run.wall_s)
        return ordered[(len(ordered) - 1) // 2]

    @property
    def best(self) -> Run:
        return min(self.runs, key=lambda run: run.wall_s)

    @property
    def peak_mb(self) -> float:
        return max(run.peak_mb for run in self.runs)


@dataclass
class Result:
    """A figure next to its target; without a verdict where there is only something to state."""

    part: str
    name: str
    value: str
    target: str
    met: bool | None


@dataclass
class Way:
    """Commands that together do one job, and the folder the job's result is in."""

    name: str
    commands: list[Sequence[str]]
    output: Path | None = None
    exit_code: int = 0


class Bench:
    """Runs ways of doing a job and keeps the books."""

    def __init__(self, home: Path, work: Path, repeat: int) -> None:
        self.home, self.work, self.repeat = home, work, repeat
        self.measurements: list[Measurement] = []
        self.results: list[Result] = []
        self.environment = os.environ | {
            "HF_HUB_OFFLINE": "1",
            "HF_LEROBOT_HOME": str(work / "lerobot"),
            "HF_DATASETS_CACHE": str(work / "cache"),
            "SVT_LOG": "1",
        }
        self.scratch = work / "scratch"

    def set(self, name: str) -> Path:
        """The folder of a set; made if it does not exist."""
        root = self.home / name
        if not (root / "meta" / "info.json").is_file():
            subprocess.run(
                [*PYTHON, str(HERE / "make_datasets.py"), "--home", str(self.home), name],
                check=True,
                stdout=sys.stderr,
            )
        return root.resolve()

    def compare(self, part: str, sources: Iterable[Path], ways: Sequence[Way]) -> list[Measurement]:
        """Measures ways in turn, several times; their results must agree in size.

        A way that took longer than a minute is not repeated.
        """
        warm(sources)
        measurements = [Measurement(part, way.name) for way in ways]
        totals: dict[str, dict[str, int]] = {}
        for turn in range(self.repeat):
            for way, measurement in zip(ways, measurements, strict=True):
                if turn and measurement.runs[0].wall_s > REPEAT_UP_TO_S:
                    continue
                run = self.run(part, way)
                run.written_mb = megabytes(way.output or self.scratch)
                measurement.runs.append(run)
                if way.output is not None and not turn:
                    info = json.loads((way.output / "meta" / "info.json").read_text())
                    totals[way.name] = {key: info[key] for key in ("total_episodes", "total_frames")}
                self.clear()
        if any(found != next(iter(totals.values())) for found in totals.values()):
            raise BenchmarkError(f"the results differ: {totals}")
        self.measurements += measurements
        return measurements

    def run(self, part: str, way: Way) -> Run:
        """Runs the commands of a way once, one after the other."""
        os.sync()  # nobody pays for what an earlier command left to write
        runs = [self._process(command, way.exit_code) for command in way.commands]
        total = Run(
            sum(run.wall_s for run in runs),
            sum(run.cpu_s for run in runs),
            max(run.peak_mb for run in runs),
        )
        note(f"  {part}: {way.name}: {total.wall_s:.2f} s, {total.cpu_s:.2f} s CPU, {total.peak_mb:.0f} MB")
        return total

    def clear(self) -> None:
        """Removes what measured commands wrote."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()

    def _process(self, command: Sequence[str], exit_code: int) -> Run:
        with tempfile.TemporaryFile(dir=self.work) as log:
            start = time.perf_counter()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.work,
            )
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != exit_code:
                log.seek(0)
                tail = log.read()[-3000:].decode(errors="replace")
                raise BenchmarkError(
                    f"{shlex.join(map(str, command))} ended with {process.returncode}:\n{tail}"
                )
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)

    def load(self, path: Path) -> set[str]:
        """Takes over the parts that an earlier call finished; returns their names."""
        content = json.loads(path.read_text())
        for found in content["measurements"]:
            runs = [Run(**run) for run in found["runs"]]
            self.measurements.append(Measurement(found["part"], found["name"], runs))
        self.results += [Result(**result) for result in content["results"]]
        return {measurement.part for measurement in self.measurements}

    def forget(self, part: str) -> None:
        """Drops what was measured of a part that failed."""
        self.measurements = [found for found in self.measurements if found.part != part]
        self.results = [found for found in self.results if found.part != part]

    def result(self, part: str, name: str, value: str, target: str = "", met: bool | None = None) -> None:
        self.results.append(Result(part, name, value, target, met))

    def at_least(self, part: str, name: str, ratio: float, target: float) -> None:
        self.result(part, name, f"{ratio:.1f}x", f">= {target:g}x", ratio >= target)

    def below(self, part: str, name: str, value: float, target: float, unit: str) -> None:
        self.result(part, name, f"{value:.2f} {unit}", f"< {target:g} {unit}", value < target)


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def warm(sources: Iterable[Path]) -> None:
    """Reads files once, so that the first command does not pay for the disk."""
    for source in sources:
        for path in source.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    while file.read(2**20):
                        pass


def megabytes(root: Path) -> float:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / 1e6

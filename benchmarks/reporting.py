"""What figures were measured on, and all of them as text and as files."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import present
from measuring import HERE, Bench


def machine(folder: Path) -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "cpu": _processor(),
        "cores": str(_cores()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GB",
        "load at the start": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "file system": _file_system(folder),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("lerobot", "pyarrow", "av", "lerobot_grasp_plugin")},
        "commit": _commit(),
        "date": time.strftime("%Y-%m-%d %H:%M %z"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0


def _file_system(folder: Path) -> str:
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    fitting = [(point, kind) for point, kind in mounts if folder.is_relative_to(point)]
    return max(fitting, key=lambda mount: len(mount[0]))[1]  # the longest mount point is the nearest


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def report(bench: Bench, description: dict[str, str]) -> str:
    lines = [f"{name}: {value}" for name, value in description.items()]
    rows = [["part", "what", "wall s", "CPU s", "peak MB", "runs"]]
    for measurement in bench.measurements:
        run = measurement.best if measurement.part == "startup" else measurement.typical
        rows.append(
            [
                *(measurement.part, measurement.name, f"{run.wall_s:.2f}", f"{run.cpu_s:.2f}"),
                *(f"{measurement.peak_mb:.0f}", str(len(measurement.runs))),
            ]
        )
    verdicts = {True: "met", False: "MISSED", None: ""}
    results = [["part", "figure", "measured", "target", ""]]
    results += [[r.part, r.name, r.value, r.target, verdicts[r.met]] for r in bench.results]
    return "\n".join([*lines, "", table(rows), "", table(results)])


def save(bench: Bench, description: dict[str, str], failed: Sequence[str], path: Path) -> None:
    """What is measured so far: as JSON, as a table, as a plot."""
    measurements = [
        asdict(measurement) | {"median": asdict(measurement.typical)} for measurement in bench.measurements
    ]
    content = {
        "machine": description,
        "failed": list(failed),
        "measurements": measurements,
        "results": [asdict(result) for result in bench.results],
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
    path.with_suffix(".md").write_text(present.markdown(description, measurements))
    series: dict[str, dict[int, dict[str, float]]] = {}
    for found in measurements:
        way, _, count = found["name"].removesuffix(" episodes").rpartition(", ")
        if found["part"] == "scaling":
            series.setdefault(way, {})[int(count)] = found["median"]
    if series:
        present.plot(series, path.with_suffix(".png"))

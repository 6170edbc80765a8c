"""Measures this package against lerobot-edit-dataset and cp, as whole processes.

    python benchmarks/compare.py [--home DIR] [--only PART,...] [--repeat N] [--resume]

Sets that are missing are made first (see make_datasets.py). Every measured command is a process of its own:
wall time, CPU time (user and system, with the processes it started) and peak resident memory are what the
kernel reports when it ends. The table goes to stdout, everything measured to HOME/results.json, as a table to
HOME/results.md and as a plot to HOME/results.png.

A process starts with the peak memory of the one that forked it, so this script imports nothing large.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from measuring import HERE, PYTHON, Bench, BenchmarkError, Measurement, Way, note
from reporting import machine, report, save

DEFAULT_HOME = HERE.parent / "outputs" / "benchmarks"
BIN = Path(sys.executable).parent
EDIT, MERGE, RELABEL, VERIFY = (
    str(BIN / name)
    for name in (
        "lerobot-edit-dataset",
        "lerobot-grasp-merge",
        "lerobot-grasp-relabel",
        "lerobot-grasp-verify",
    )
)
STARTUP_RUNS = 5
MEMORY_EPISODES = (100, 1000, 10000)
SCALING_EPISODES = (10, 100, 1000, 10000)
MEMORY_KINDS = {"": "no video", "-video": "video", "-v21": "v2.1, video"}


def read_command(source: Path) -> list[str]:
    """Reads every byte of a folder, and does nothing else."""
    return ["find", str(source), "-type", "f", "-exec", "cat", "{}", "+"]


def total_episodes(root: Path) -> int:
    return json.loads((root / "meta" / "info.json").read_text())["total_episodes"]


def merge_command(sources: Sequence[dict[str, object]], output: Path) -> list[str]:
    return [
        *(MERGE, "--sources", json.dumps(sources)),
        *("--new_repo_id", "bench/merged", "--new_root", str(output)),
    ]


def relabel_command(source: Path, annotations: Path, output: Path) -> list[str]:
    return [
        *(RELABEL, "--root", str(source), "--annotations", str(annotations)),
        *("--new_repo_id", "bench/relabelled", "--new_root", str(output)),
    ]


def delete_command(source: Path, episodes: Sequence[int], output: Path) -> list[str]:
    return [
        *(EDIT, "--repo_id", f"bench/{source.name}", "--root", str(source)),
        *("--new_repo_id", "bench/kept", "--new_root", str(output)),
        *("--operation.type", "delete_episodes", "--operation.episode_indices", str(list(episodes))),
    ]


def write_annotations(path: Path, episodes: int, length: int) -> Path:
    """Ranges for every episode: the end of it, and in every other one a moment before."""
    lines = ["# index_base: 1"]
    for episode in range(episodes):
        start = length * 6 // 10 + episode % (length // 5)
        early = f"{length // 5}-{length // 5 + length // 10}, " if episode % 2 else ""
        lines.append(f"{episode}: {early}{start}-{length}")
    path.write_text("\n".join(lines) + "\n")
    return path


# -- the parts -----------------------------------------------------------------------------------------


def seed(bench: Bench) -> None:
    """Three episodes of one recording after all of another."""
    a, b = bench.set("A"), bench.set("B")
    keep = [2, 7, 8]
    drop = [episode for episode in range(total_episodes(b)) if episode not in keep]
    kept, merged, ours = (bench.scratch / name for name in ("kept", "merged", "ours"))
    join = [
        *(EDIT, "--new_repo_id", "bench/merged", "--new_root", str(merged), "--operation.type", "merge"),
        *("--operation.repo_ids", json.dumps(["bench/A", "bench/kept"])),
        *("--operation.roots", json.dumps([str(a), str(kept)])),
    ]
    sources = [{"root": str(a)}, {"root": str(b), "episodes": keep}]
    theirs, own = bench.compare(
        "seed",
        [a, b],
        [
            Way("lerobot-edit-dataset, delete and merge", [delete_command(b, drop, kept), join], merged),
            Way("lerobot-grasp-merge", [merge_command(sources, ours)], ours),
            Way("cp -r of both", [["cp", "-r", str(a), str(b), str(bench.scratch)]]),
            Way("reading both", [read_command(a), read_command(b)]),
        ],
    )[:2]
    bench.at_least("seed", "faster than lerobot", theirs.typical.wall_s / own.typical.wall_s, 30)


def one_of_200(bench: Bench) -> None:
    """All episodes but one of a gigabyte."""
    c = bench.set("C")
    kept, ours, copy = (bench.scratch / name for name in ("kept", "ours", "copy"))
    copying = ["cp", "-r", str(c), str(copy)]
    # to the disk, as this package's output is before it gets its name
    syncing = ["find", str(copy), "-exec", "sync", "{}", "+"]
    own, copied, synced, theirs = bench.compare(
        "one_of_200",
        [c],
        [
            Way("lerobot-grasp-merge", [merge_command([{"root": str(c), "episodes": "!100"}], ours)], ours),
            Way("cp -r", [copying]),
            Way("cp -r, then sync of the copy", [copying, syncing]),
            Way("lerobot-edit-dataset, delete", [delete_command(c, [100], kept)], kept),
            Way("reading", [read_command(c)]),
        ],
    )[:4]
    wall = own.typical.wall_s
    bench.at_least("one_of_200", "faster than lerobot", theirs.typical.wall_s / wall, 60)
    ratio = wall / copied.typical.wall_s
    bench.result("one_of_200", "slower than cp -r", f"{ratio:.1f}x", "<= 5x", ratio <= 5)
    ratio = wall / synced.typical.wall_s
    bench.result("one_of_200", "slower than cp -r and sync", f"{ratio:.1f}x")


def relabel(bench: Bench) -> None:
    """New rewards for a million rows."""
    d = bench.set("D")
    annotations = write_annotations(bench.work / "D.txt", total_episodes(d), 500)
    removed, output, ours = (bench.scratch / name for name in ("removed", "output", "ours"))
    script = [
        *(*PYTHON, str(HERE / "lerobot_relabel.py"), "--root", str(d), "--annotations", str(annotations)),
        *("--removed", str(removed), "--output", str(output)),
    ]
    theirs, own = bench.compare(
        "relabel",
        [d],
        [
            Way("lerobot, remove_feature and add_features", [script], output),
            Way("lerobot-grasp-relabel", [relabel_command(d, annotations, ours)], ours),
            Way("cp -r", [["cp", "-r", str(d), str(bench.scratch / "copy")]]),
            Way("reading", [read_command(d)]),
        ],
    )[:2]
    bench.at_least("relabel", "faster than lerobot", theirs.typical.wall_s / own.typical.wall_s, 10)
    bench.below("relabel", "CPU", own.typical.cpu_s, 5, "s")
    bench.below("relabel", "peak memory", own.peak_mb / 1024, 1.5, "GB")


def startup(bench: Bench) -> None:
    """Help and errors of each command."""
    a, d = bench.set("A"), bench.set("D")
    new = ["--new_repo_id", "bench/none", "--new_root", str(bench.scratch / "none")]
    nowhere, unknown = str(bench.work / "nowhere"), "bench/nowhere"
    annotations = str(write_annotations(bench.work / "A.txt", 1, 50))
    ways = [
        way
        for command in (MERGE, RELABEL, VERIFY)
        for way in (
            Way(f"{Path(command).name} --help", [[command, "--help"]]),
            Way(f"{Path(command).name}, bad flag", [[command, "--no_such_flag", "1"]], exit_code=2),
        )
    ]
    for text, field_, value in (("folder", "root", nowhere), ("repo_id", "repo_id", unknown)):
        calls = {
            MERGE: [MERGE, "--sources", json.dumps([{field_: value}]), *new],
            RELABEL: [RELABEL, f"--{field_}", value, "--annotations", annotations, *new],
            VERIFY: [VERIFY, f"--{field_}", value],
        }
        ways += [
            Way(f"{Path(command).name}, no such {text}", [call], exit_code=2)
            for command, call in calls.items()
        ]
    mismatch = merge_command([{"root": str(a)}, {"root": str(d)}], bench.scratch / "none")
    ways.append(Way("lerobot-grasp-merge, A and D do not fit", [mismatch], exit_code=1))
    for way in ways:
        measurement = Measurement("startup", way.name)
        measurement.runs = [bench.run("startup", way) for _ in range(STARTUP_RUNS)]
        bench.measurements.append(measurement)
        bench.below("startup", way.name, measurement.best.wall_s, 0.5, "s")
    reference = Way("lerobot-edit-dataset --help", [[EDIT, "--help"]])
    bench.measurements.append(Measurement("startup", reference.name, [bench.run("startup", reference)]))


def scaling(bench: Bench, counts: Sequence[int] = SCALING_EPISODES) -> None:
    """Time, memory and bytes by number of episodes, with video."""
    for count in counts:
        source = bench.set(f"E{count}-video")
        annotations = write_annotations(bench.work / f"S{count}.txt", count, 50)
        ours, copy = bench.scratch / "ours", bench.scratch / "copy"
        odd = [{"root": str(source), "episodes": list(range(0, count, 2))}]
        for name, way in (
            ("merge of every other episode", Way("", [merge_command(odd, ours)], ours)),
            ("relabel", Way("", [relabel_command(source, annotations, ours)], ours)),
            ("verify", Way("", [[VERIFY, "--root", str(source)]])),
            ("cp -r", Way("", [["cp", "-r", str(source), str(copy)]])),
            ("reading", Way("", [read_command(source)])),
        ):
            way.name = f"{name}, {count} episodes"
            bench.compare("scaling", [source], [way])


def verify(bench: Bench) -> None:
    """A million rows, checked; next to lerobot-doctor where that is installed."""
    d = bench.set("D")
    ways = [Way("lerobot-grasp-verify", [[VERIFY, "--root", str(d)]])]
    doctor = BIN / "lerobot-doctor"
    if doctor.exists():
        ways.append(Way("lerobot-doctor", [[str(doctor), "check", str(d)]]))
    else:
        note("  lerobot-doctor is not installed, so there is nothing to compare with")
    own, *_ = bench.compare("verify", [d], ways)
    bench.below("verify", "wall time", own.typical.wall_s, 10, "s")
    bench.below("verify", "peak memory", own.peak_mb / 1024, 1, "GB")


def memory(bench: Bench, counts: Sequence[int] = MEMORY_EPISODES) -> None:
    """Peak memory by number of episodes."""
    peaks: dict[tuple[str, str], dict[int, float]] = {}
    for kind, title in MEMORY_KINDS.items():
        for count in counts:
            source = bench.set(f"E{count}{kind}")
            annotations = write_annotations(bench.work / f"E{count}.txt", count, 50)
            output = bench.scratch / "ours"
            measured = (
                ("merge", merge_command([{"root": str(source)}], output)),
                ("relabel", relabel_command(source, annotations, output)),
            )
            for operation, command in measured:
                name = f"{operation}, {title}, {count} episodes"
                [measurement] = bench.compare("memory", [source], [Way(name, [command], output)])
                peaks.setdefault((operation, title), {})[count] = measurement.peak_mb
    for (operation, title), by_count in peaks.items():
        first, last = by_count[counts[0]], by_count[counts[-1]]
        listed = " / ".join(f"{peak:.0f}" for peak in by_count.values()) + " MB"
        if len(by_count) > 1:
            listed += f" ({last / first:.2f}x)"
        counted = " / ".join(map(str, by_count))
        bench.result("memory", f"{operation}, {title}, {counted} episodes", listed, "does not grow")


PARTS: dict[str, Callable[[Bench], None]] = {
    "seed": seed,
    "one_of_200": one_of_200,
    "relabel": relabel,
    "verify": verify,
    "scaling": scaling,
    "memory": memory,
    "startup": startup,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help="folder of the sets and the results")
    parser.add_argument("--only", type=_parts, default=list(PARTS), help="parts, separated by commas")
    parser.add_argument("--repeat", type=_positive, default=3, help="runs of each command; the median counts")
    parser.add_argument(
        "--episodes", type=_counts, help="numbers of episodes of the scaling and the memory part"
    )
    parser.add_argument("--resume", action="store_true", help="keep the parts HOME/results.json has already")
    arguments = parser.parse_args()
    home = arguments.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    description = machine(home)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=home))
    bench = Bench(home, work, arguments.repeat)
    path = home / "results.json"
    kept = bench.load(path) if arguments.resume and path.exists() else set()
    failed: list[str] = []
    try:
        bench.clear()
        for name in arguments.only:
            if name in kept:
                continue
            note(f"{name}: {PARTS[name].__doc__}")
            try:
                if name in ("memory", "scaling") and arguments.episodes:
                    (memory if name == "memory" else scaling)(bench, arguments.episodes)
                else:
                    PARTS[name](bench)
            except (BenchmarkError, subprocess.CalledProcessError) as error:
                note(f"{name} failed: {error}")
                failed.append(name)
                bench.forget(name)
            bench.clear()
            save(bench, description, failed, path)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(report(bench, description))
    note(f"wrote {path}")
    return 1 if failed else 0


def _parts(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(PARTS)}")
    return names


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("a positive number")
    return int(text)


def _counts(text: str) -> list[int]:
    return [_positive(count) for count in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())

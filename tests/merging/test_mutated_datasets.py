"""Mutated metadata, tables and videos end in one message and an exit code: no traceback, hang or flood."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.commands.run import parse_call
from lerobot_grasp_plugin.merging.recipe import MergeConfig, RelabelConfig
from tests.support.deadline import DEADLINE_S
from tests.support.factories import Legacy, write_legacy

type Recorded = Callable[[str], Path]

ROUNDS = int(os.environ.get("GRASP_FUZZ_ROUNDS", "12"))
WORKER = """
import os, resource, shutil, sys, traceback
from pathlib import Path
from lerobot_grasp_plugin import GraspError, MergeConfig, SourceConfig, merge
from lerobot_grasp_plugin.verify.verifier import verify_dataset

resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
for root in map(Path, sys.argv[1:]):
    print(root, flush=True)
    try:
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=root.parent / f"{root.name}-out"))
    except (GraspError, OSError):
        pass
    for level in ("meta", "data", "video", "decode"):
        report = verify_dataset(root, level=level)
        unforeseen = [str(problem) for problem in report.problems if problem.code == "check-failed"]
        assert not unforeseen, unforeseen
    shutil.rmtree(root.parent / f"{root.name}-out", ignore_errors=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

ODD = [None, True, -1, 0, 1.5, 10**12, 10**30, 1e300, float("nan"), float("inf"), "", "x", "../..", "/etc"]
ODD += ["{0.__class__}", "{video_key:999999999d}", "\0", [], [10**9] * 3, {}, {"a": {}}, "v3.0", "\ud800"]


def spoil_json(value: object, rng: random.Random) -> object:
    """The same value with something in it replaced, removed or doubled."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.15:
            return {name: kept for name, kept in value.items() if name != key}
        return {**value, key: spoil_json(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.6:
        at = rng.randrange(len(value))
        return [*value[:at], spoil_json(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def spoil_bytes(data: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, most of them where headers and footers are; cut off; or numbers made huge."""
    spoiled = bytearray(data)
    kind = rng.random()
    if kind < 0.15:
        return data[: rng.randrange(len(data) + 1)]
    for _ in range(rng.choice((1, 1, 4, 30))):
        edge = min(len(data), 600)
        at = (
            rng.randrange(edge) if rng.random() < 0.4 else len(data) - 1 - rng.randrange(min(len(data), 4000))
        )
        width = 4 if kind < 0.4 else 1
        spoiled[at : at + width] = rng.choice((b"\xff", b"\x7f", b"\0", bytes([rng.randrange(256)]))) * width
    return bytes(spoiled)


def spoil_table(table: pa.Table, rng: random.Random) -> pa.Table:
    """The same table with a column or some rows lost, doubled, emptied, renamed or moved."""
    name = rng.choice(table.column_names)
    at, rows = table.column_names.index(name), rng.randrange(table.num_rows)
    changes: list[Callable[[], pa.Table]] = [
        lambda: table.drop_columns([name]),
        lambda: table.append_column(name, table[name]),
        lambda: table.set_column(at, f"{name}x", table[name]),
        lambda: table.set_column(at, name, pa.nulls(table.num_rows)),
        lambda: table.set_column(at, name, pc.cast(table[name], pa.float64())),
        lambda: table.set_column(at, name, pc.cast(table[name], pa.string())),
        lambda: pa.concat_tables([table, table.slice(rows)]),
        lambda: pa.concat_tables([table.slice(rows), table.slice(0, rows)]),
        lambda: table.slice(0, rows),
        lambda: table.replace_schema_metadata(None),
    ]
    return rng.choice(changes)()


def spoil(root: Path, rng: random.Random) -> None:
    path = rng.choice(sorted(path for path in root.rglob("*") if path.is_file()))
    if path.suffix in (".json", ".jsonl") and rng.random() < 0.8:
        text = path.read_text(errors="replace")
        lines = (text.splitlines() if path.suffix == ".jsonl" else [text]) or [""]
        at = rng.randrange(len(lines))
        with suppress(ValueError):  # it is spoiled already
            lines[at] = json.dumps(spoil_json(json.loads(lines[at]), rng))
        path.write_text("\n".join(lines))
    elif path.suffix == ".parquet" and rng.random() < 0.5:
        with suppress(pa.ArrowException, ValueError, KeyError):  # it is spoiled already, or holds no numbers
            pq.write_table(spoil_table(pq.ParquetFile(path).read(), rng), path)
    else:
        path.write_bytes(spoil_bytes(path.read_bytes(), rng))


@pytest.mark.parametrize("kind", ["v2.0", "v2.1", "v3.0"])
def test_mutated_datasets(kind: str, recorded: Recorded, tmp_path: Path) -> None:
    sound = (
        recorded("split")
        if kind == "v3.0"
        else write_legacy(tmp_path / "sound", Legacy(version=kind, labels=True))
    )
    seed = int(os.environ.get("GRASP_FUZZ_SEED", "0"))  # the same each time
    rng = random.Random(seed)
    roots = []
    for number in range(ROUNDS):
        roots.append(Path(shutil.copytree(sound, tmp_path / f"{seed}-{number}")))
        for _ in range(rng.choice((1, 1, 2))):
            spoil(roots[-1], rng)
    command = [sys.executable, "-c", WORKER, *map(str, roots)]
    patience = DEADLINE_S + 5 * ROUNDS  # for a hang
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=patience)
    assert done.returncode == 0, f"{done.stdout[-200:]}: {done.returncode}\n{done.stderr[-3000:]}"
    assert int(done.stdout.split()[-1]) < 2 * 2**20  # kilobytes


# -- recipes ---------------------------------------------------------------------------------------

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
fields = st.sampled_from([*MergeConfig.__dataclass_fields__, "root", "episodes", "rename", "sources.root"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields | st.text(max_size=4), inner)
)
recipes = st.dictionaries(fields, values, max_size=4) | values


def understood(config: type, args: list[str]) -> None:
    with suppress(SystemExit):
        parse_call(config, args, program="fuzz")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipe=recipes, config=st.sampled_from([MergeConfig, RelabelConfig]))
def test_recipe_files(recipe: object, config: type, tmp_path: Path) -> None:
    for name in ("recipe.json", "recipe.yaml"):
        (tmp_path / name).write_text(json.dumps(recipe))
        understood(config, ["--config_path", str(tmp_path / name)])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
def test_files_that_are_no_recipes(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_bytes(data)
    understood(MergeConfig, ["--config_path", str(tmp_path / "recipe.yaml")])


@settings(max_examples=60, deadline=None)
@given(flags=st.lists(st.tuples(fields, values), max_size=3))
def test_flags(flags: list[tuple[str, object]]) -> None:
    args = [part for name, value in flags for part in (f"--{name}", json.dumps(value))]
    understood(MergeConfig, args)

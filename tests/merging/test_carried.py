"""Whatever a source holds is in the output or named in a warning."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import (
    MergeConfig,
    MergeError,
    MergeReport,
    RelabelConfig,
    SourceConfig,
    merge,
    relabel,
    verify_dataset,
)
from lerobot_grasp_plugin.core.codecs import canonical_codec
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import extract_frames
from tests.support.factories import RECORDINGS, Legacy, change_info, read_info, tree, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, legacy_items, open_set
from tests.support.unknown_things import NEEDLE, THINGS, Thing, at_column, index_table, metadata, places_of

type Recorded = Callable[[str], Path]


def merged(target: Path, *sources: SourceConfig | Path, **options: object) -> MergeReport:
    chosen = [SourceConfig(root=each) if isinstance(each, Path) else each for each in sources]
    return merge(MergeConfig(sources=chosen, new_root=target, **options))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, recorded: Recorded) -> Callable[[str], Path]:
    """A dataset of each version, with labels, one camera and three episodes; only to be read."""
    base = tmp_path_factory.mktemp("plain")

    def made(version: str) -> Path:
        if version == "v3.0":
            return recorded("h264")
        if not (base / version).exists():
            write_legacy(base / version, Legacy(version=version, labels=True))
        return base / version

    return made


@pytest.mark.parametrize("version", ["v2.0", "v2.1", "v3.0"])
@pytest.mark.parametrize("name", THINGS)
def test_an_unknown_thing(name: str, version: str, plain: Callable[[str], Path], tmp_path: Path) -> None:
    thing: Thing = THINGS[name]
    if version not in thing.versions:
        pytest.skip(f"{version} has no such place")
    source = Path(shutil.copytree(plain(version), tmp_path / "source"))
    thing.plant(source)
    before = tree(source)
    total = json.loads((source / "meta/info.json").read_text())["total_episodes"]
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 2-\n" for episode in range(total)))
    reports = {
        "relabel": relabel(RelabelConfig(root=source, annotations=labels, new_root=tmp_path / "relabel")),
        "subset": merged(tmp_path / "subset", SourceConfig(root=source, episodes=[1])),
        "merge": merged(tmp_path / "merge", source, plain(version)),
        "reverse": merged(tmp_path / "reverse", plain(version), SourceConfig(root=source, episodes="!0")),
    }
    for way, report in reports.items():
        warnings = [f"{problem.place.path} {problem.message}" for problem in report.warnings]
        named = [warning for warning in warnings if NEEDLE in warning.replace(str(tmp_path), "")]
        assert named or list(places_of(tmp_path / way)), (way, warnings)
    assert tree(source) == before


@pytest.mark.parametrize("change", [metadata, at_column("subtask"), at_column("subtask_index")])
def test_metadata_of_a_table_of_names(
    change: Callable[[pa.Table], pa.Table], copied: Recorded, tmp_path: Path
) -> None:
    one = copied("h264")
    other = Path(shutil.copytree(one, tmp_path / "other"))
    for root in (one, other):
        index_table(change)(root)
    report = merged(tmp_path / "out", one, other)
    named = [problem for problem in report.warnings if NEEDLE in problem.message]
    assert named or [place for place in places_of(tmp_path / "out") if "subtasks" in place]


RESERVED = {
    "data/file_index": 7,
    "data/chunk_index": 3,
    "videos/observation.images.wrist/file_index": 5,
    "videos/observation.images.wrist/from_timestamp": 9.5,
    "meta/episodes/file_index": 2,
    "dataset_from_index": 100,
    "dataset_to_index": 200,
    "stats/action/mean": [0.0],
}


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_keys_with_names_of_columns_are_named_and_change_nothing(version: str, tmp_path: Path) -> None:
    """Keys of episodes.jsonl called like columns that the writer writes."""
    source = write_legacy(tmp_path / "source", Legacy(version=version, labels=True))
    merged(tmp_path / "plain", source)
    path = source / "meta/episodes.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, **RESERVED, "operator": "x"}) + "\n" for line in lines))
    report = merged(tmp_path / "out", source)
    written = pq.ParquetFile(tmp_path / "out" / EPISODES).read()
    assert written.drop_columns("operator").equals(pq.ParquetFile(tmp_path / "plain" / EPISODES).read())
    (warning,) = [each for each in report.warnings if each.code == "metadata-left-out"]
    assert all(name in warning.message for name in RESERVED)
    open_set(tmp_path / "out")


def changed(root: Path, path: str, change: Callable[[pa.Table], pa.Table]) -> Path:
    pq.write_table(change(pq.ParquetFile(root / path).read()), root / path)
    return root


EPISODES = "meta/episodes/chunk-000/file-000.parquet"


def test_columns_of_episodes_are_united(copied: Recorded, recorded: Recorded, tmp_path: Path) -> None:
    source = changed(
        copied("av1"), EPISODES, lambda table: table.append_column("stages", pa.array([[0, 2]] * 5))
    )
    camera = ["observation.images.wrist"]
    one = SourceConfig(root=source, episodes=[4, 1])
    merged(tmp_path / "out", one, recorded("h264"), drop_features=camera)
    table = pq.ParquetFile(tmp_path / "out" / EPISODES).read()
    assert table["stages"].to_pylist() == [[0, 2], [0, 2], None, None]
    dataset = open_set(tmp_path / "out")
    assert dataset.meta.episodes[0]["stages"] == [0, 2]
    merged(tmp_path / "again", tmp_path / "out")
    again = pq.ParquetFile(tmp_path / "again" / EPISODES).read()
    assert again["stages"].equals(table["stages"])


def test_progress_follows_its_frames(copied: Recorded, recorded: Recorded, tmp_path: Path) -> None:
    lengths = RECORDINGS["av1"].lengths
    source = copied("av1")
    total = sum(lengths)
    rows = {"index": range(total), "episode_index": [e for e, n in enumerate(lengths) for _ in range(n)]}
    table = pa.table({**rows, "progress_sparse": pa.array([i / 100 for i in range(total)], pa.float32())})
    table = table.replace_schema_metadata({"reward_model_path": "me/sarm"})
    pq.write_table(table, source / "sarm_progress.parquet")
    report = merged(
        tmp_path / "out",
        SourceConfig(root=recorded("h264"), episodes=[0]),
        SourceConfig(root=source, episodes=[3, 1]),
        drop_features=["observation.images.wrist"],
    )
    written = pq.ParquetFile(tmp_path / "out/sarm_progress.parquet").read()
    start = RECORDINGS["h264"].lengths[0]
    assert written["index"].to_pylist() == list(range(start, start + lengths[3] + lengths[1]))
    assert written["episode_index"].to_pylist() == [1] * lengths[3] + [2] * lengths[1]
    first = sum(lengths[:3])
    wanted = [*range(first, first + lengths[3]), *range(lengths[0], lengths[0] + lengths[1])]
    assert written["progress_sparse"].to_pylist() == pytest.approx([row / 100 for row in wanted])
    assert written.schema.metadata == {b"reward_model_path": b"me/sarm"}
    (warning,) = [problem for problem in report.warnings if problem.code == "side-table-incomplete"]
    assert "2 of 3 episodes" in warning.message


@pytest.mark.parametrize("names", [("index",), ("episode_index",), ("index", "episode_index")])
@pytest.mark.parametrize("is_listed", [True, False])
def test_progress_follows_its_frames_where_an_episode_was_deleted(
    names: tuple[str, ...], is_listed: bool, copied: Recorded, tmp_path: Path
) -> None:
    """Episode 2 lost its rows, or its entry in the list as well; the table has rows of it."""
    lengths = RECORDINGS["av1"].lengths
    source = copied("av1")
    episodes = [e for e, n in enumerate(lengths) for _ in range(n)]
    rows = {"index": list(range(len(episodes))), "episode_index": episodes}
    table = pa.table({name: rows[name] for name in names} | {"progress": rows["index"]})
    pq.write_table(table, source / "progress.parquet")
    kept = lambda rows: rows.filter(pc.not_equal(rows["episode_index"], 2))  # noqa: E731  # one line
    changed(source, "data/chunk-000/file-000.parquet", kept)
    if not is_listed:
        changed(source, EPISODES, kept)
    report = merged(tmp_path / "out", SourceConfig(root=source, episodes="!2"))
    written = pq.ParquetFile(tmp_path / "out/progress.parquet").read()
    expected = [row for row, episode in enumerate(episodes) if episode != 2]
    assert written["progress"].to_pylist() == expected
    if "index" in names:
        assert written["index"].to_pylist() == list(range(len(expected)))
    if "episode_index" in names:
        assert written["episode_index"].to_pylist() == [e - (e > 2) for e in episodes if e != 2]
    assert not [problem for problem in report.warnings if "progress.parquet" in problem.message]


def test_numbers_of_no_row_are_not_renumbered_and_the_warning_says_so(
    copied: Recorded, tmp_path: Path
) -> None:
    source = copied("av1")
    pq.write_table(pa.table({"index": [0, 900], "note": ["a", "b"]}), source / "notes.parquet")
    report = merged(tmp_path / "out", SourceConfig(root=source, episodes="!2"))
    (warning,) = [problem for problem in report.warnings if problem.code == "file-not-mapped"]
    assert "notes.parquet" in warning.message
    assert "episode and frame numbers are still the source's" in warning.hint
    assert "grasp_provenance.json" in warning.hint


def test_values_of_info_that_lerobot_reads_as_well(copied: Recorded, tmp_path: Path) -> None:
    source = copied("av1")
    change_info(source, robot_type=["so101", "so101"], splits="train: all", tools={"type": "hand"})
    open_set(source)
    report = merged(tmp_path / "out", source)
    info = read_info(tmp_path / "out")
    assert info["robot_type"] == ["so101", "so101"]
    assert info["splits"] == {"train": f"0:{len(RECORDINGS['av1'].lengths)}"}
    assert info["tools"] == {"type": "hand"}
    assert any("train: all" in problem.message for problem in report.warnings)
    open_set(tmp_path / "out")
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 2-\n" for episode in range(len(RECORDINGS["av1"].lengths))))
    relabel(RelabelConfig(root=source, annotations=labels, new_root=tmp_path / "again"))
    other = Path(shutil.copytree(source, tmp_path / "other"))
    change_info(other, robot_type=["so100"])
    with pytest.raises(MergeError, match="robot_type differs"):
        merged(tmp_path / "both", source, other)


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_rate_that_is_no_whole_number_is_carried(version: str, tmp_path: Path) -> None:
    spec = Legacy(version="v2.1", fps=9.97, lengths=(40, 30, 20), labels=True)
    source = write_legacy(tmp_path / "source", spec)
    expected = [legacy_items(source, spec, episode) for episode in (2, 0)]
    if version == "v3.0":
        merged(tmp_path / "v3", source)
        source, expected = tmp_path / "v3", [items_of(tmp_path / "v3", episode) for episode in (2, 0)]
    merged(tmp_path / "out", SourceConfig(root=source, episodes=[2, 0]))
    assert read_info(tmp_path / "out")["fps"] == 9.97
    assert_items(tmp_path / "out", expected)
    report = verify_dataset(root=tmp_path / "out", level="decode")
    assert {problem.code for problem in report.problems if problem.severity != "note"} <= {"fractional-fps"}


def test_numbers_that_a_narrower_type_changes_are_named(copied: Recorded, tmp_path: Path) -> None:
    source = copied("av1")

    def widened(table: pa.Table) -> pa.Table:
        values = [[value + 1e-9 for value in row] for row in table["action"].to_pylist()]
        column = pa.array(values, pa.list_(pa.float64()))
        return table.set_column(table.column_names.index("action"), "action", column)

    before = pq.ParquetFile(source / "data/chunk-000/file-000.parquet").read()["action"].to_pylist()
    changed(source, "data/chunk-000/file-000.parquet", widened)
    (warning,) = [p for p in merged(tmp_path / "out", source).warnings if p.code == "numbers-narrowed"]
    number = sum(float(np.float32(value + 1e-9)) != value + 1e-9 for row in before for value in row)
    assert f"'action' ({number} values)" in warning.message

    def exact(table: pa.Table) -> pa.Table:
        column = pa.array(before, pa.list_(pa.float64()))
        return table.set_column(table.column_names.index("action"), "action", column)

    changed(source, "data/chunk-000/file-000.parquet", exact)
    report = merged(tmp_path / "same", source)
    assert "numbers-narrowed" not in {problem.code for problem in report.warnings}


@pytest.mark.parametrize(("values", "number"), [([0, 1, 2, 3], 17), ([0.0, 1.0, 0.5], 11), ([1, 0], 0)])
def test_numbers_that_become_true_or_false_are_named(
    values: list[float], number: int, copied: Recorded, tmp_path: Path
) -> None:
    source = copied("av1")

    def counted(table: pa.Table) -> pa.Table:
        column = pa.array([values[row % len(values)] for row in range(len(table))])
        return table.set_column(table.column_names.index("next.done"), "next.done", column)

    changed(source, "data/chunk-000/file-000.parquet", counted)
    warnings = [p.message for p in merged(tmp_path / "out", source).warnings if p.code == "numbers-narrowed"]
    assert [f"'next.done' ({number} value" in message for message in warnings] == [True] * (number > 0)


def test_extracted_frames_stay_with_the_source(copied: Recorded, tmp_path: Path) -> None:
    root = copied("av1")
    extract_frames(FramesConfig(root=root, episodes=[0]))
    extract_frames(FramesConfig(root=root, episodes=[0, 1], format="png"))
    extract_frames(FramesConfig(root=root, episodes=[0], contact_sheet=True))
    (root / "frames" / "mine.txt").write_text("mine")
    report = relabel(RelabelConfig(root=root, labels_from="next.reward", new_root=tmp_path / "out"))
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("frames/*")}
    assert found == {"frames/mine.txt"}
    (warning,) = [problem for problem in report.warnings if problem.code == "file-left-out"]
    folders = "frames/contact_sheets, frames/episode_000000, frames/episode_000001"
    assert f"{folders} are left out: images that lerobot-grasp-frames extracted" in warning.message


def test_files_keep_place_or_owner(copied: Recorded, tmp_path: Path) -> None:
    one, other = copied("av1"), copied("h264")
    for root, license_text, own in ((one, "same", "one"), (other, "same", "other")):
        (root / "LICENSE").write_text(license_text)
        (root / "meta/calibration").mkdir()
        (root / "meta/calibration/follower.json").write_text(own)
    (one / "notes.md").write_text("of one")
    merged(tmp_path / "out", one, other, drop_features=["observation.images.wrist"])
    out = tmp_path / "out"
    assert (out / "LICENSE").read_text() == "same"
    assert (out / "meta/sources/av1/meta/calibration/follower.json").read_text() == "one"
    assert (out / "meta/sources/h264/meta/calibration/follower.json").read_text() == "other"
    assert (out / "meta/sources/av1/notes.md").read_text() == "of one"
    assert not (out / "notes.md").exists()


@pytest.mark.parametrize("name", ["data", "videos"])
@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_files_behind_a_link_are_not_copied_twice(
    name: str, version: str, plain: Callable[[str], Path], tmp_path: Path
) -> None:
    root = Path(shutil.copytree(plain(version), tmp_path / "set"))
    (root / name).rename(root / "a_store")
    (root / name).symlink_to("a_store")
    (root / "a_store/notes.txt").write_text("kept")
    merged(tmp_path / "out", root)
    assert [path.name for path in (tmp_path / "out/a_store").rglob("*") if path.is_file()] == ["notes.txt"]
    assert verify_dataset(tmp_path / "out").ok


def test_contradictions_are_in_the_sidecar(copied: Recorded, tmp_path: Path) -> None:
    one, other = copied("av1"), copied("h264")
    for root, mode in ((one, "joint"), (other, "ee")):
        info = json.loads((root / "meta/info.json").read_text())
        info |= {"control_mode": mode, "lab": "east"}
        (root / "meta/info.json").write_text(json.dumps(info))
    report = merged(tmp_path / "out", one, other, drop_features=["observation.images.wrist"])
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["lab"] == "east"
    assert "control_mode" not in info
    sidecar = json.loads((tmp_path / "out/meta/grasp_provenance.json").read_text())
    stated = [source["metadata"]["info.json"] for source in sidecar["sources"]]
    assert stated == [{"control_mode": "joint"}, {"control_mode": "ee"}]
    (warning,) = [problem for problem in report.warnings if problem.code == "metadata-differs"]
    assert '"joint" in av1; "ee" in h264' in warning.message


def with_subtasks(root: Path, names: list[str], value: int, suffix: str = "parquet") -> Path:
    info = json.loads((root / "meta/info.json").read_text())
    info["features"]["subtask_index"] = {"dtype": "int64", "shape": [1], "names": None}
    (root / "meta/info.json").write_text(json.dumps(info))
    for path in root.glob("data/*/*.parquet"):
        table = pq.ParquetFile(path).read()
        column = pa.array([value if row else -1 for row in range(table.num_rows)])
        pq.write_table(table.append_column("subtask_index", column).replace_schema_metadata(None), path)
    if suffix == "jsonl":
        lines = [json.dumps({"subtask_index": at, "subtask": name}) for at, name in enumerate(names)]
        (root / "meta/subtasks.jsonl").write_text("\n".join(lines))
    else:
        rows = {"subtask_index": range(len(names)), "subtask": names, "note": [f"{name}!" for name in names]}
        pq.write_table(pa.table(rows), root / "meta/subtasks.parquet")
    return root


def test_subtasks_are_mapped_as_tasks_are(copied: Recorded, tmp_path: Path) -> None:
    one = with_subtasks(copied("av1"), ["reach", "grasp"], 1)
    other = with_subtasks(
        write_legacy(tmp_path / "legacy", Legacy(labels=True)), ["grasp", "lift"], 1, "jsonl"
    )
    merged(tmp_path / "out", one, other, drop_features=["observation.images.wrist"])
    names = pq.ParquetFile(tmp_path / "out/meta/subtasks.parquet").read()
    assert names["subtask"].to_pylist() == ["reach", "grasp", "lift"]
    assert names["subtask_index"].to_pylist() == [0, 1, 2]
    assert names["note"].to_pylist() == ["reach!", "grasp!", None]
    dataset = open_set(tmp_path / "out")
    ends = [row["dataset_to_index"] for row in dataset.meta.episodes]
    assert [int(dataset[end - 1]["subtask_index"]) for end in ends] == [1] * 5 + [2] * 3
    assert int(dataset[0]["subtask_index"]) == -1  # names nothing

    import pandas as pd

    table = pd.read_parquet(tmp_path / "out/meta/subtasks.parquet")
    assert table.iloc[2].name == "lift"


def test_subtasks_without_a_table_are_refused(copied: Recorded, tmp_path: Path) -> None:
    one, other = with_subtasks(copied("av1"), ["reach", "grasp"], 1), with_subtasks(copied("h264"), ["a"], 0)
    (other / "meta/subtasks.parquet").unlink()
    with pytest.raises(MergeError) as caught:
        merged(tmp_path / "out", one, other, drop_features=["observation.images.wrist"])
    assert [problem.code for problem in caught.value.problems] == ["index-table-missing"]


SAY = {"type": "function", "function": {"name": "say", "arguments": {"text": "ok"}}}
POINT = {"type": "function", "function": {"name": "point", "arguments": {"x": 1}}}


def with_language(root: Path, calls: list[list[dict] | None]) -> Path:
    """Annotates each episode as LeRobot does: types are inferred file by file."""
    info = json.loads((root / "meta/info.json").read_text())
    for name in ("language_persistent", "language_events"):
        info["features"][name] = {"dtype": "language", "shape": [1], "names": None}
    (root / "meta/info.json").write_text(json.dumps(info))
    for path in sorted(root.glob("data/*/*.parquet")):
        table = pq.ParquetFile(path).read()
        lasting, events = [], []
        for row, episode in enumerate(table["episode_index"].to_pylist()):
            says = calls[episode % len(calls)]
            stamp = table["timestamp"][row].as_py()
            lasting.append([{**PERSISTENT, "timestamp": 0.5}])
            events.append([{**EVENT, "tool_calls": says}] if stamp == 0 and says else [])
        table = table.append_column("language_persistent", pa.array(lasting))
        table = table.append_column("language_events", pa.array(events)).replace_schema_metadata(None)
        pq.write_table(table, path)
    return root


EVENT = {"role": "assistant", "content": None, "style": None, "camera": None, "tool_calls": None}
PERSISTENT = {**EVENT, "content": "grasp", "style": "subtask"}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("one_calls", "other_calls"),
    [([None], [[SAY]]), ([[SAY]], [[POINT]]), ([None, [SAY]], [[SAY, SAY]]), ([None], [None])],
)
def test_language_in_every_order(
    one_calls: list, other_calls: list, reverse: bool, copied: Recorded, tmp_path: Path
) -> None:
    one, other = with_language(copied("av1"), one_calls), with_language(copied("h264"), other_calls)
    calls = (
        [one_calls[e % len(one_calls)] for e in range(5)],
        [other_calls[e % len(other_calls)] for e in range(2)],
    )
    sources = [one, other] if not reverse else [other, one]
    wanted = [*calls[0], *calls[1]] if not reverse else [*calls[1], *calls[0]]
    merged(tmp_path / "out", *sources, drop_features=["observation.images.wrist"])
    dataset = open_set(tmp_path / "out")
    for row, says in zip(dataset.meta.episodes, wanted, strict=True):
        item = dataset[row["dataset_from_index"]]
        assert item["language_events"] == ([{**EVENT, "tool_calls": says}] if says else [])
        assert item["language_persistent"] == [{**PERSISTENT, "timestamp": 0.5}]
        assert dataset[row["dataset_from_index"] + 1]["language_events"] == []


def test_language_differs_within_a_set(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "legacy", Legacy())
    with_language(source, [None, [SAY], [POINT]])
    merged(tmp_path / "out", source)
    dataset = open_set(tmp_path / "out")
    events = [dataset[row["dataset_from_index"]]["language_events"] for row in dataset.meta.episodes]
    assert events == [[], [{**EVENT, "tool_calls": [SAY]}], [{**EVENT, "tool_calls": [POINT]}]]


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_tasks_that_are_plain_text(version: str, tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy(version=version))
    path = source / "meta/episodes.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "tasks": line["tasks"][0]}) + "\n" for line in lines))
    merged(tmp_path / "out", source)
    assert open_set(tmp_path / "out").meta.episodes[0]["tasks"] == ["pick the cube"]


def test_tasks_that_are_plain_text_in_a_table(copied: Recorded, tmp_path: Path) -> None:
    def plain_text(table: pa.Table) -> pa.Table:
        texts = pa.array([tasks[0] for tasks in table["tasks"].to_pylist()])
        return table.set_column(table.column_names.index("tasks"), "tasks", texts)

    merged(tmp_path / "out", changed(copied("av1"), EPISODES, plain_text))
    assert open_set(tmp_path / "out").meta.episodes[0]["tasks"] == ["pick the cube"]


def test_near_tasks_are_named(copied: Recorded, tmp_path: Path) -> None:
    spec = Legacy(labels=True)
    one = write_legacy(tmp_path / "one", spec)
    other = write_legacy(tmp_path / "other", replace(spec, tasks=("Pick the  cube.",)))
    report = merged(tmp_path / "out", one, other)
    (warning,) = [problem for problem in report.warnings if problem.code == "near-tasks"]
    assert "'pick the cube' (one) and 'Pick the  cube.' (other)" in warning.message
    (finding,) = [problem for problem in report.verification.problems if problem.code == "near-tasks"]
    assert finding in verify_dataset(tmp_path / "out").problems  # its command names the folder of the output
    report = merged(tmp_path / "same", one, SourceConfig(root=other, task="pick the cube"))
    assert "near-tasks" not in [problem.code for problem in report.warnings]


def test_the_command_of_near_tasks_runs_as_printed(recorded: Recorded, tmp_path: Path) -> None:
    from lerobot_grasp_plugin.commands.edit import main as edit

    sources = [
        SourceConfig(root=recorded("av1"), episodes="0-1", task="pick the cube"),
        SourceConfig(root=recorded("av1"), episodes="2-4", task="Pick the cube's  side."),
        SourceConfig(root=recorded("av1"), episodes="2-4", task="pick the cube's side"),
    ]
    root = tmp_path / "two spellings"
    merged(root, *sources)
    (finding,) = [problem for problem in verify_dataset(root).problems if problem.code == "near-tasks"]
    (command,) = finding.commands
    program, *call = shlex.split(str(command))
    assert (program, edit(call)) == ("lerobot-grasp-edit", 0)
    assert "near-tasks" not in [problem.code for problem in verify_dataset(root).problems]
    assert set(open_set(root).meta.tasks.index) == {"pick the cube", "Pick the cube's  side."}


def test_near_tasks_in_one_episode_are_named_with_the_command_that_renames_tasks(tmp_path: Path) -> None:
    """An episode with a third task cannot have one task for all of its rows."""
    from lerobot_grasp_plugin.dataset.one_task import near_tasks_of_dataset

    listed = {0: ("pick", "place"), 1: ("Pick.", "place")}
    tasks = ("pick", "place", "Pick.")
    (finding,) = near_tasks_of_dataset(tasks, listed, tmp_path / "meta/tasks.parquet", tmp_path)
    (command,) = finding.commands
    assert command.program == "lerobot-edit-dataset"
    assert command.flags["operation.task_replacements"] == {"Pick.": "pick"}


def test_one_recipe_gives_the_same_bytes(copied: Recorded, recorded: Recorded, tmp_path: Path) -> None:
    one = with_subtasks(copied("av1"), ["reach", "grasp"], 1)
    other = with_subtasks(copied("h264"), ["grasp"], 0)
    for thing in (
        "info.json",
        "file meta/needle.json",
        "a side table",
        "the card's header",
        "rows, metadata",
    ):
        THINGS[thing].plant(one)
    for name in ("a", "b"):
        merged(tmp_path / name / "out", one, other, drop_features=["observation.images.wrist"])
    assert tree(tmp_path / "a/out") == tree(tmp_path / "b/out")


def feature_of(root: Path, name: str, change: Callable[[dict], None]) -> Path:
    info = json.loads((root / "meta/info.json").read_text())
    change(info["features"][name])
    (root / "meta/info.json").write_text(json.dumps(info))
    return root


CAMERA = "observation.images.wrist"


@pytest.mark.parametrize("place", ["info", "video_info"])
@pytest.mark.parametrize("mark", ["is_depth_map", "video.is_depth_map"])
def test_a_depth_camera_stays_one(place: str, mark: str, copied: Recorded, tmp_path: Path) -> None:
    def marked(feature: dict) -> None:
        feature["info"].pop("is_depth_map", None)
        feature["info"]["video.is_depth_map"] = False  # as LeRobot's recorder writes it for a colour camera
        feature.setdefault(place, {})[mark] = True

    source = feature_of(copied("av1"), CAMERA, marked)
    merged(tmp_path / "out", source)
    dataset = open_set(tmp_path / "out")
    assert dataset.meta.depth_keys == [CAMERA]
    assert dataset.meta.features[CAMERA]["info"]["is_depth_map"] is True


@pytest.mark.parametrize(
    ("stated", "written"),
    [("libdav1d", "av1"), ("libsvtav1", "av1"), ("mp4v", "mpeg4"), ("h264_nvenc", "h264")],
)
def test_codecs_have_the_names_lerobot_writes(stated: str, written: str) -> None:
    assert canonical_codec(stated) == written


def test_an_other_name_of_a_codec_is_no_other_codec(copied: Recorded, tmp_path: Path) -> None:
    one = feature_of(
        copied("av1"), CAMERA, lambda feature: feature["info"].update({"video.codec": "libdav1d"})
    )
    other = Path(shutil.copytree(one, tmp_path / "other"))
    feature_of(other, CAMERA, lambda feature: feature["info"].update({"video.codec": "av1"}))
    merged(tmp_path / "out", one, other)
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["features"][CAMERA]["info"]["video.codec"] == "av1"


@pytest.mark.parametrize("version", ["v2.1", "v3.0"])
def test_a_feature_of_no_width(version: str, plain: Callable[[str], Path], tmp_path: Path) -> None:
    source = Path(shutil.copytree(plain(version), tmp_path / "source"))
    info = json.loads((source / "meta/info.json").read_text())
    info["features"]["target"] = {"dtype": "float32", "shape": [0], "names": None}
    (source / "meta/info.json").write_text(json.dumps(info))
    for path in source.glob("data/*/*.parquet"):
        table = pq.ParquetFile(path).read().replace_schema_metadata(None)
        empty = pa.array([[]] * table.num_rows, pa.list_(pa.float32()))
        pq.write_table(table.append_column("target", empty), path)
    problems = verify_dataset(source, level="data").problems
    assert "check-failed" not in [problem.code for problem in problems]
    assert "zero-width" in [problem.code for problem in problems]
    merged(tmp_path / "out", source, source)
    dataset = open_set(tmp_path / "out")
    assert dataset.meta.features["target"]["shape"] == (0,)
    assert dataset[len(dataset) - 1]["target"] is None
    merged(tmp_path / "dropped", tmp_path / "out", drop_features=["target"])
    assert "target" not in open_set(tmp_path / "dropped").meta.features


def test_images_and_video_name_the_command(copied: Recorded, tmp_path: Path) -> None:
    one = write_legacy(tmp_path / "one", Legacy(labels=True))
    other = write_legacy(tmp_path / "other", Legacy(labels=True, cameras=(), images=(CAMERA,)))
    with pytest.raises(MergeError) as caught:
        merged(tmp_path / "out", one, other)
    (problem,) = [each for each in caught.value.problems if each.code == "feature-dtype"]
    (command,) = map(str, problem.commands)
    assert f"--root {other}" in command
    assert "--operation.type convert_image_to_video" in command
    assert str(one) not in command

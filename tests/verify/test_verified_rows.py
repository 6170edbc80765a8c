"""Files, indices and timestamps, row by row."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lerobot_grasp_plugin import verify_dataset
from lerobot_grasp_plugin.dataset.file_format import V2X
from lerobot_grasp_plugin.verify.info import Info
from lerobot_grasp_plugin.verify.place import ranges_text
from lerobot_grasp_plugin.verify.rows import Rows
from lerobot_grasp_plugin.verify.timestamps import TimestampCheck
from lerobot_grasp_plugin.verify.view import View
from tests.support.factories import Legacy, change_info, png, read_info, write_legacy
from tests.support.verifying import (
    DATA,
    EPISODES,
    LEGACY_DATA,
    by_code,
    change_column,
    change_table,
    findings,
    found,
)

type Recorded = Callable[[str], Path]
TABLE_2 = "data/chunk-000/episode_000002.parquet"
FILE_0 = "data/chunk-000/episode_000000.parquet"


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Three episodes of 12, 14 and 11 rows at 10 fps, without images."""
    return write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(12, 14, 11)))


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
@pytest.mark.parametrize("labels", [False, True])
def test_sound(version: str, labels: bool, tmp_path: Path) -> None:
    spec = Legacy(cameras=(), lengths=(12, 14, 11), version=version, labels=labels)
    assert found(write_legacy(tmp_path / "set", spec)) == []


ROW_FAULTS = {
    "index with a hole": ("index", lambda v: [*v[:5], *(n + 1 for n in v[5:])], "index-wrong", 5),
    "index twice": ("index", lambda v: [*v[:5], v[4], *v[6:]], "index-wrong", 5),
    "index from 0": ("index", lambda v: list(range(len(v))), "index-wrong", 0),
    "frames from 1": ("frame_index", lambda v: [n + 1 for n in v], "frame-wrong", 0),
    "a frame twice": ("frame_index", lambda v: [*v[:7], v[6], *v[8:]], "frame-wrong", 7),
    "an unknown task": ("task_index", lambda v: [*v[:3], 4, *v[4:]], "unknown-task", 3),
    "a late timestamp": ("timestamp", lambda v: [*v[:6], v[6] + 0.05, *v[7:]], "timestamp-off-grid", 6),
    "timestamps backwards": ("timestamp", lambda v: [*v[:6], v[5], *v[7:]], "timestamp-order", 6),
    "no timestamp": ("timestamp", lambda v: [*v[:6], float("nan"), *v[7:]], "timestamp-not-finite", 6),
}


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_row_that_is_wrong(fault: str, plain: Path) -> None:
    column, change, code, frame = ROW_FAULTS[fault]
    change_column(plain, LEGACY_DATA, column, change)
    problem = by_code(plain, code)
    assert (problem.place.path, problem.place.episode, problem.place.frame) == (
        str(plain / LEGACY_DATA),
        1,
        frame,
    )
    assert {"index-wrong", "frame-wrong", "unknown-task"} & {code for code, _ in found(plain)} <= {code}


def test_a_fraction_in_an_index(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), index_dtype="float64"))
    assert found(root) == [("index-dtype", "warning")] * 4
    change_column(root, LEGACY_DATA, "index", lambda values: [values[0] + 0.5, *values[1:]])
    assert by_code(root, "bad-index-column").place.episode == 1


def test_a_lost_file_is_one_finding_and_what_follows_is_none(plain: Path) -> None:
    (plain / FILE_0).unlink()
    problem = by_code(plain, "missing-file")
    assert (problem.place.path, problem.place.episode) == (str(plain / FILE_0), 0)
    codes = {code for code, _ in found(plain)}
    assert codes <= {"missing-file", "wrong-statistics"}


def test_files_nobody_refers_to(plain: Path) -> None:
    extra = plain / "data/chunk-000/episode_000009.parquet"
    shutil.copy(plain / LEGACY_DATA, extra)
    assert found(plain) == [("extra-file", "error")]
    problem = by_code(plain, "extra-file")
    assert (problem.place.path, "14 rows of episode 1 are also in" in problem.message) == (str(extra), True)


def test_copies_where_lerobot_does_not_look_are_harmless(plain: Path) -> None:
    for folder in ("data/chunk-000/backup", "data"):
        (plain / folder).mkdir(exist_ok=True)
        shutil.copy(plain / LEGACY_DATA, plain / folder)
    assert found(plain) == [("unread-table", "warning")]
    assert "2 tables elsewhere" in by_code(plain, "unread-table").message


def test_rows_the_recording_never_listed(copied: Recorded) -> None:
    """A recording that ended before finalize(): rows are there, their episodes are not."""
    root = copied("av1")
    change_table(root, EPISODES, lambda table: table.slice(0, 3))
    change_info(root, total_episodes=3, total_frames=21)
    problem = by_code(root, "unlisted-rows")
    assert (problem.severity, problem.place.episode) == ("error", 3)
    assert "14 rows of episodes 3-4" in problem.message
    assert "interrupted" in problem.hint


def test_an_episodes_table_that_was_never_written(copied: Recorded) -> None:
    root = copied("av1")
    shutil.rmtree(root / "meta/episodes")
    assert found(root) == [("missing-episodes-table", "error")]


def test_images_of_an_episode_that_was_never_saved(copied: Recorded) -> None:
    root = copied("av1")
    left = root / "images/observation.images.wrist/episode-000005/frame-000000.png"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"png")
    assert found(root) == [("unfinished-episode", "warning")]


@pytest.mark.parametrize("name", ["observation.images.wrist_005", "observation.images.wrist_streaming"])
def test_a_video_that_was_never_put_in_its_place(name: str, copied: Recorded) -> None:
    """LeRobot encodes beside ``videos``, in a folder of tempfile's."""
    root = copied("av1")
    left = root / "tmp3x8_k1qz" / f"{name}.mp4"
    left.parent.mkdir()
    left.write_bytes(b"begun")
    (root / "tmpnotes").mkdir()  # empty ones hold nothing anybody could miss
    assert found(root) == [("unfinished-episode", "warning")]
    assert by_code(root, "unfinished-episode").place.path == str(left.parent)


def test_rows_in_another_order(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, DATA, lambda table: pa.concat_tables([table.slice(12), table.slice(0, 12)]))
    problem = by_code(root, "episode-order")
    assert (problem.place.episode, problem.severity) == (0, "error")


def test_an_episode_in_two_pieces(copied: Recorded) -> None:
    root = copied("av1")
    change_table(
        root, DATA, lambda table: pa.concat_tables([table.slice(0, 3), table.slice(7, 5), table.slice(3, 4)])
    )
    assert by_code(root, "scattered-episode").place.episode == 0


def test_rows_in_the_order_of_frame_index_are_named_as_that_only(copied: Recorded) -> None:
    """What sorting in pandas makes of a table: each timestamp is right for its row."""
    root = copied("av1")
    for name in ("action", "observation.state"):
        change_column(root, DATA, name, lambda values: [[0.0] * len(value) for value in values])
    change_table(root, DATA, lambda table: table.sort_by([("frame_index", "ascending")]))
    assert [code for code, severity in found(root) if severity == "error"] == ["scattered-episode"]


def test_rows_that_are_there_twice(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, DATA, lambda table: pa.concat_tables([table, table.slice(0, 7)]))
    problem = by_code(root, "duplicate-episode")
    assert (problem.severity, problem.place.episode) == ("error", 0)
    assert "rows of episode 0 are duplicated" in problem.message


def test_a_table_without_frame_index_or_episode_index(plain: Path) -> None:
    """Nothing follows from a missing column but that it is missing."""
    for number in range(3):
        path = f"data/chunk-000/episode_{number:06d}.parquet"
        change_table(plain, path, lambda table: table.drop_columns(["frame_index", "episode_index"]))
    assert set(found(plain)) == {("missing-column", "error")}


def test_timestamps_that_are_a_frame_late(plain: Path) -> None:
    for number in range(3):
        path = f"data/chunk-000/episode_{number:06d}.parquet"
        change_column(plain, path, "timestamp", lambda values: [value + 0.1 for value in values])
    problem = by_code(plain, "timestamp-off-grid")
    assert "37 timestamps of episodes 0-2" in problem.message
    assert "all by +0.100000 s: LeRobot shows images from 1 frame later" in problem.message
    assert problem.severity == "warning"  # there are no images to miss


CLOCKS = {
    "less than a frame late": (lambda s, n: s + 2e-4, "+0.0020 frames: LeRobot finds no image"),
    "time of day": (lambda s, n: s + 1.7e9, "they are the time of day"),
    "milliseconds": (lambda s, n: s * 1000, "they are milliseconds"),
    "frame numbers": (lambda s, n: s * 10, "they are frame numbers"),
    "another frame rate": (lambda s, n: s / 1.5, "they have 15 fps, info.json says 10"),
    "standing still": (lambda s, n: 0 * s, "they are constant"),
    "going on": (lambda s, n: s + 20 * (n + 1), "+20.000 to +60.000 s: they do not start at 0"),
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_timestamps_of_another_clock(clock: str, plain: Path) -> None:
    change, words = CLOCKS[clock]
    for number in range(3):
        path = f"data/chunk-000/episode_{number:06d}.parquet"
        change_column(
            plain, path, "timestamp", lambda values, number=number: [change(s, number) for s in values]
        )
    assert words in by_code(plain, "timestamp-off-grid").message
    assert "timestamp-order" not in {code for code, _ in found(plain)}


def test_another_frame_rate_is_not_set_to_the_grid(plain: Path) -> None:
    change_info(plain, fps=30)
    assert "set fps in info.json to 10" in by_code(plain, "timestamp-off-grid").hint


def test_an_episode_of_another_frame_rate_leaves_fps_as_it_is(plain: Path) -> None:
    change_column(plain, LEGACY_DATA, "timestamp", lambda values: [value / 2 for value in values])
    problem = by_code(plain, "timestamp-off-grid")
    assert "they have 20 fps" in problem.message
    assert "leave these episodes out" in problem.hint


def test_a_frame_late_in_one_episode(plain: Path) -> None:
    change_column(plain, LEGACY_DATA, "timestamp", lambda values: [value + 0.1 for value in values])
    assert "all by +0.100000 s: LeRobot" in by_code(plain, "timestamp-off-grid").message


def test_tables_of_one_fault_are_one_finding(plain: Path) -> None:
    """Pandas notes the number of rows in each table it writes; the columns are alike nevertheless."""
    for number in range(3):
        path = f"data/chunk-000/episode_{number:06d}.parquet"
        change_table(plain, path, lambda table, note=str(number): _of_floats(table, note))
    assert by_code(plain, "index-dtype").severity == "warning"


def _of_floats(table: pa.Table, note: str) -> pa.Table:
    place = table.column_names.index("index")
    table = table.set_column(place, "index", table["index"].cast(pa.float64()))
    return table.replace_schema_metadata({"pandas": note})


@pytest.mark.parametrize("where", [[5], range(14)])
def test_timestamps_that_are_no_numbers_are_named_once(where: Sequence[int], plain: Path) -> None:
    nan = float("nan")
    change_column(
        plain, LEGACY_DATA, "timestamp", lambda v: [nan if n in where else s for n, s in enumerate(v)]
    )
    assert found(plain) == [("timestamp-not-finite", "error")]


def test_what_float32_makes_of_an_hour() -> None:
    """Its steps are wider than the tolerance after 2048 s; LeRobot rounds the image's time as well."""
    length = 120_000
    view = View(Path("set"), Info(Path("info.json"), {}, None, 30.0, {}, 1000, ()), V2X)
    check = TimestampCheck(view)
    stamps = (np.arange(length) / 30).astype(np.float32).reshape(-1, 1)
    zero = np.zeros(1, np.int64)
    check.see(Rows([Path("a")], zero, zero, np.array([length]), {"timestamp": stamps}))
    assert list(check.found()) == []


def test_jitter_is_measured(tmp_path: Path) -> None:
    problem = by_code(write_legacy(tmp_path / "set", Legacy(jitter_s=0.01)), "timestamp-off-grid")
    assert problem.severity == "error"
    assert "rows per second on average" in problem.message


def test_a_start_off_the_grid_keeps_lerobot_from_the_images(copied: Recorded) -> None:
    root = copied("av1")
    column = "videos/observation.images.wrist/from_timestamp"
    change_column(root, EPISODES, column, lambda values: [values[0], values[1] + 0.03, *values[2:]])
    problem = by_code(root, "frame-unreadable")
    assert (problem.place.episode, problem.place.frame) == (1, 0)


def test_an_empty_table(plain: Path) -> None:
    change_table(plain, LEGACY_DATA, lambda table: table.slice(0, 0))
    assert {("empty-table", "warning"), ("missing-rows", "error")} <= set(found(plain))


def test_many_files_in_a_folder(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(4, 4, 4), chunks_size=2))
    assert found(root) == []
    shutil.move(root / "data/chunk-001/episode_000002.parquet", root / "data/chunk-000")
    assert {("chunk-limit", "warning"), ("template-mismatch", "warning")} == set(found(root))


@given(st.sets(st.integers(0, 60)))
def test_ranges_name_exactly_the_numbers(numbers: set[int]) -> None:
    text = ranges_text(numbers)
    if "more ranges" in text:
        return
    named = set()
    for part in filter(None, text.split(", ")):
        first, _, last = part.partition("-")
        named |= set(range(int(first), int(last or first) + 1))
    assert named == numbers


def test_one_large_row_group_is_read_in_batches(tmp_path: Path) -> None:
    """Episodes lie across batches of rows; what is found does not depend on where a batch ends."""
    lengths = (60_000, 50_000, 70_000)
    root = tmp_path / "set"
    write_legacy(root, Legacy(cameras=(), lengths=(4, 4, 4), stats=False))
    for episode, length in enumerate(lengths):
        start, rows = sum(lengths[:episode]), np.arange(length)
        actions = np.stack([rows % 7, np.full(length, 0.5)], axis=1).astype(np.float32)
        columns: dict[str, Any] = {
            "observation.state": pa.FixedSizeListArray.from_arrays(
                np.tile(np.array([1.0, 2.0], np.float32), length), 2
            ),
            "action": pa.FixedSizeListArray.from_arrays(actions.ravel(), 2),
            "timestamp": rows / 10,
            "frame_index": rows,
            "episode_index": np.full(length, episode),
            "index": rows + start,
            "task_index": np.zeros(length, np.int64),
        }
        pq.write_table(pa.table(columns), root / f"data/chunk-000/episode_{episode:06d}.parquet")
    all_found = findings(root)
    problems = [problem for problem in all_found if problem.code == "wrong-length"]
    assert [problem.place.episode for problem in problems] == [0, 1, 2]
    assert "70000 rows" in problems[2].message
    assert not {"index-wrong", "frame-wrong", "timestamp-order"} & {problem.code for problem in all_found}
    change_column(root, TABLE_2, "frame_index", lambda values: [*values[:69_000], 0, *values[69_001:]])
    problem = by_code(root, "frame-wrong")
    assert (problem.place.episode, problem.place.frame) == (2, 69_000)


def test_images_that_are_not_in_the_table(tmp_path: Path) -> None:
    camera = "observation.images.eye"
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), images=(camera,), lengths=(12, 11, 11)))
    assert found(root) == []
    change_column(root, LEGACY_DATA, camera, lambda values: [{**values[0], "bytes": None}, *values[1:]])
    problem = by_code(root, "picture-not-embedded")
    assert (problem.place.path, "1 of 11" in problem.message) == (str(root / LEGACY_DATA), True)
    change_table(root, TABLE_2, lambda table: table.drop_columns([camera]).append_column(camera, _names(11)))
    problems = {
        problem.place.path: problem for problem in findings(root) if problem.code == "picture-not-embedded"
    }
    assert "11 of 11" in problems[str(root / TABLE_2)].message


def _names(rows: int) -> pa.Array:
    return pa.array([f"frame_{row}.png" for row in range(rows)])


def test_tables_copied_in_from_another_dataset_keep_its_numbers(plain: Path) -> None:
    """What `cp` and a longer list make of two datasets of one episode each."""
    for old, new in ((0, 3), (1, 4), (2, 5)):
        shutil.copy(
            plain / f"data/chunk-000/episode_{old:06d}.parquet",
            plain / f"data/chunk-000/episode_{new:06d}.parquet",
        )
    listed = (plain / "meta/episodes.jsonl").read_text()
    more = [json.loads(line) for line in listed.splitlines()]
    more = [entry | {"episode_index": entry["episode_index"] + 3} for entry in more]
    (plain / "meta/episodes.jsonl").write_text(listed + "".join(json.dumps(entry) + "\n" for entry in more))
    change_info(plain, total_episodes=6, total_frames=74)
    assert {code for code, severity in found(plain) if severity == "error"} == {
        "episode-wrong",
        "index-wrong",
    }
    problem = by_code(plain, "episode-wrong")
    assert (problem.place.episode, problem.place.frame) == (3, 0)
    assert "37 rows of episodes 3-5" in problem.message


def test_tables_whose_names_were_exchanged(plain: Path) -> None:
    other = plain / "data/chunk-000/x"
    (plain / LEGACY_DATA).rename(other)
    (plain / TABLE_2).rename(plain / LEGACY_DATA)
    other.rename(plain / TABLE_2)
    codes = [code for code, severity in found(plain) if severity == "error"]
    assert sorted(codes) == ["episode-order", "wrong-file", "wrong-file"]


def test_many_wrong_lengths_are_one_finding(copied: Recorded) -> None:
    root = copied("split")
    change_column(root, EPISODES, "length", lambda values: [value + 1 for value in values])
    problem = by_code(root, "wrong-length")
    assert (problem.place.episode, "episodes 0-7" in problem.message) == (0, True)


@pytest.mark.parametrize("name", ["episodes", "tasks"])
def test_a_list_that_ends_early_is_one_finding(name: str, plain: Path) -> None:
    path = plain / f"meta/{name}.jsonl"
    path.write_bytes(path.read_bytes()[:-15])
    assert [code for code, severity in found(plain) if severity == "error"] == ["bad-json"]


def test_an_unlisted_table_is_one_finding(plain: Path) -> None:
    lines = (plain / "meta/episodes.jsonl").read_text().splitlines(keepends=True)
    (plain / "meta/episodes.jsonl").write_text("".join(lines[:2]))
    change_info(plain, total_episodes=2, total_frames=26, splits={})
    assert found(plain) == [("unlisted-rows", "error")]


def test_a_fault_of_very_many_files_is_named_for_each_and_nothing_else(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(3,) * 40))
    spoiled = sorted((root / "data").rglob("*.parquet"))[5:]
    for path in spoiled:
        path.write_text("version https://git-lfs.github.com/spec/v1\n")
    errors = [problem for problem in findings(root) if problem.severity == "error"]
    assert {problem.code for problem in errors} == {"lfs-pointer"}
    assert [problem.place.path for problem in errors] == list(map(str, spoiled))


EYE = "observation.images.eye"
SPOILED = {
    "no bytes": (lambda data: b"", "is empty"),
    "a page": (lambda data: b"<html>not found", "is not an image"),
    "cut off": (lambda data: data[:-20], "is truncated"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_images_in_tables_that_are_none(kind: str, copied: Recorded) -> None:
    root = copied("odd")
    change, reason = SPOILED[kind]
    change_column(root, DATA, EYE, lambda v: [*v[:5], {**v[5], "bytes": change(v[5]["bytes"])}, *v[6:]])
    problem = by_code(root, "picture-damaged", "video")
    assert (problem.place.episode, problem.place.frame, problem.severity) == (1, 1, "error")
    assert reason in problem.message
    assert "picture-damaged" not in {code for code, _ in found(root, "data")}


def test_bytes_behind_a_image_are_passed_over(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), images=(EYE,), lengths=(12, 14, 11)))

    def longer(values: list[dict[str, bytes]]) -> list[dict[str, bytes]]:
        return [value | {"bytes": value["bytes"] + b"\0\0"} for value in values]

    change_column(root, LEGACY_DATA, EYE, longer)
    assert found(root, "decode") == []


def test_images_in_tables_are_decoded(copied: Recorded) -> None:
    root = copied("odd")
    change_column(
        root,
        DATA,
        EYE,
        lambda v: [{**v[0], "bytes": v[0]["bytes"][:60] + b"x" * 9 + v[0]["bytes"][69:]}, *v[1:]],
    )
    assert "picture-damaged" not in {code for code, _ in found(root, "video")}
    assert "cannot be decoded" in by_code(root, "picture-damaged", "decode").message


def test_sizes_of_images_in_tables(copied: Recorded) -> None:
    root = copied("odd")
    features = read_info(root)["features"]
    change_info(root, features={**features, EYE: {**features[EYE], "shape": [3, 64, 96]}})
    assert found(root, "video") == [("reward-all-zero", "warning")]
    change_info(root, features={**features, EYE: {**features[EYE], "shape": [10, 10, 3]}})
    assert by_code(root, "picture-size", "video").severity == "warning"
    small = png(np.zeros((10, 12, 3), np.uint8))
    change_info(root, features=features)
    change_column(root, DATA, EYE, lambda v: [*v[:5], {**v[5], "bytes": small}, *v[6:]])
    problem = by_code(root, "picture-size", "video")
    assert (problem.severity, problem.place.episode, problem.place.frame) == ("error", 1, 1)
    assert "images of 10 x 12" in problem.message


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "WEBP", "BMP"])
def test_images_in_tables_of_other_forms(form: str, copied: Recorded) -> None:
    root = copied("odd")
    buffer = BytesIO()
    Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(buffer, form)
    change_column(root, DATA, EYE, lambda v: [{**each, "bytes": buffer.getvalue()} for each in v])
    for level in ("video", "decode"):
        assert not {code for code, _ in found(root, level) if code.startswith("image")}


def test_no_index_column_is_not_called_sound(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, DATA, lambda table: table.drop_columns(["index", "frame_index"]))
    checks = {check.name: check.ok for check in verify_dataset(root, level="data").checks}
    assert (checks["Global indices"], checks["Frame indices"]) == (None, None)
    assert checks["Episode indices"] is True


@pytest.mark.parametrize("without", [True, False])
def test_rows_of_no_known_episode_are_not_given_a_number(without: bool, copied: Recorded) -> None:
    root = copied("av1")
    if without:
        change_table(root, DATA, lambda table: table.drop_columns(["episode_index"]).slice(0, 30))
    else:
        change_column(root, DATA, "episode_index", lambda values: [*values[:9], -1, *values[10:]])
    problems = verify_dataset(root).problems
    assert {"unknown-rows", "bad-index-column"} & {problem.code for problem in problems}
    assert not [
        problem for problem in problems if problem.place.episode == -1 or "episode -1" in str(problem)
    ]


def test_a_column_of_no_width_breaks_no_check_off(copied: Recorded) -> None:
    root = copied("av1")
    empty = pa.list_(pa.float32())
    change_table(root, DATA, lambda table: table.append_column("none", pa.array([[]] * len(table), empty)))
    assert "check-failed" not in {problem.code for problem in verify_dataset(root).problems}

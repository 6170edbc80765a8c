"""``info.json``: what it says otherwise than the files is named, and hides nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lerobot_grasp_plugin import verify_dataset
from tests.support.factories import Legacy, change_info, read_info, write_legacy
from tests.support.verifying import (
    DATA,
    by_code,
    change_json,
    change_table,
    findings,
    found,
)

PLACE = "{chunk_index}/{file_index}"
type Recorded = Callable[[str], Path]


def info(**changes: Any) -> Callable[[Path], None]:
    return lambda root: change_info(root, **changes)


def feature(name: str, **changes: Any) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        features = read_info(root)["features"]
        features[name] = {**features[name], **changes}
        change_info(root, features=features)

    return spoil


def undeclare(name: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        features = read_info(root)["features"]
        del features[name]
        change_info(root, features=features)

    return spoil


INFO_FAULTS = {
    "no chunks": (info(chunks_size=0), "bad-info", "error"),
    "chunks of half a file": (info(chunks_size=1.5), "bad-info", "error"),
    "no rate": (info(fps=0), "bad-info", "error"),
    "rate as text": (info(fps="10"), "bad-info", "error"),
    "unknown version": (info(codebase_version="v9"), "unknown-codebase-version", "error"),
    "more episodes": (info(total_episodes=6), "wrong-total", "error"),
    "more frames": (info(total_frames=36), "wrong-total", "error"),
    "more tasks": (info(total_tasks=9), "wrong-total", "warning"),
    "no tasks": (info(total_tasks=0), "wrong-total", "error"),
    "null video path": (info(video_path=None), "bad-path-template", "error"),
    "null data path": (info(data_path=None), "bad-path-template", "warning"),
    "absolute data path": (
        info(data_path="/etc/{chunk_index}/{file_index}"),
        "path-outside-dataset",
        "error",
    ),
    "data path upwards": (info(data_path="../{chunk_index}/{file_index}"), "path-outside-dataset", "error"),
    "splits past the end": (info(splits={"train": "0:100"}), "bad-splits", "warning"),
    "splits that are none": (info(splits={"train": [0, 5]}), "bad-splits", "warning"),
    "another width": (feature("action", shape=[3]), "shape-mismatch", "error"),
    "another type": (feature("action", dtype="int64"), "dtype-mismatch", "error"),
    "a narrower type": (feature("action", dtype="float64"), "dtype-mismatch", "warning"),
    "a float index": (feature("episode_index", dtype="float64"), "index-dtype", "error"),
    "an image of two dimensions": (feature("observation.images.wrist", shape=[64, 96]), "bad-info", "error"),
    "a codec by its tag": (
        feature("observation.images.wrist", info={"video.codec": "mp4v"}),
        "codec-name",
        "warning",
    ),
    "another rate of a feature": (feature("action", fps=30.0), "feature-fps", "warning"),
    "splits that share episodes": (
        info(splits={"train": "0:4", "test": "3:5"}),
        "bad-splits",
        "warning",
    ),
    "a data path without digits": (
        info(data_path="data/chunk-{chunk_index}/file-{file_index}.parquet"),
        "template-mismatch",
        "warning",
    ),
    "a video path without digits": (
        info(video_path="videos/{video_key}/chunk-{chunk_index}/file-{file_index}.mp4"),
        "template-mismatch",
        "error",
    ),
    "a camera declared as images": (
        feature("observation.images.wrist", dtype="image"),
        "missing-column",
        "error",
    ),
    "undeclared": (undeclare("next.reward"), "undeclared-column", "error"),
}


@pytest.mark.parametrize("fault", INFO_FAULTS)
def test_info_that_says_something_else(fault: str, copied: Recorded) -> None:
    root = copied("av1")
    spoil, code, severity = INFO_FAULTS[fault]
    spoil(root)
    assert (code, severity) in found(root), [str(problem) for problem in findings(root)]
    assert not {"wrong-file", "missing-file"} & {code for code, _ in found(root)}


@pytest.mark.parametrize(
    ("codec", "hint"), [("mp4v", "cannot encode them"), ("avc1", "write 'h264'"), ("libdav1d", "write 'av1'")]
)
def test_a_codec_that_lerobot_does_not_accept_is_named_at_every_level(
    codec: str, hint: str, copied: Recorded
) -> None:
    root = copied("av1")
    feature("observation.images.wrist", info={"video.codec": codec})(root)
    report = verify_dataset(root=root, level="meta")
    (problem,) = [each for each in report.problems if each.code == "codec-name"]
    assert repr(codec) in problem.message
    assert problem.hint.endswith(hint)


def test_a_declared_column_that_is_not_there(copied: Recorded) -> None:
    root = copied("av1")
    change_table(root, DATA, lambda table: table.drop_columns(["next.done"]))
    problem = by_code(root, "missing-column")
    assert (problem.place.path, problem.severity) == (str(root / DATA), "error")
    assert "'next.done'" in problem.message


def test_a_path_template_without_a_field(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    change_info(root, data_path="data/chunk-000/episode.parquet")
    assert "{episode_index}" in by_code(root, "bad-path-template").message


def test_a_template_that_leads_to_files_of_that_name_elsewhere(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    change_info(root, data_path="data/chunk-{episode_index:03d}/episode_{episode_index:06d}.parquet")
    assert found(root) == [("template-mismatch", "warning")]


def test_metadata_of_two_formats(copied: Recorded, tmp_path: Path) -> None:
    both = copied("av1")
    shutil.copy(write_legacy(tmp_path / "old", Legacy(cameras=())) / "meta/tasks.jsonl", both / "meta")
    assert found(both) == [("mixed-versions", "warning")]
    old = write_legacy(tmp_path / "changed", Legacy(cameras=()))
    change_info(old, codebase_version="v3.0")
    assert ("version-mismatch", "error") in found(old)


def test_totals_that_nothing_reads(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=()))
    change_info(root, total_videos=2, total_chunks=0)
    notes = [problem.message for problem in findings(root, notes=True) if problem.code == "wrong-total"]
    assert notes == [
        "total_videos is 2, but 0 by the episodes list",
        "total_chunks is 0, but 1 by the episodes list",
    ]
    assert found(root) == []


def test_sizes_of_tables_are_noted(copied: Recorded) -> None:
    root = copied("av1")
    change_json(root, "meta/info.json", lambda content: content.update(data_files_size_in_mb=-1))
    assert ("bad-info", "error") in found(root)


@pytest.mark.parametrize(
    ("content", "code"), [("version https://git-lfs.github.com/spec/v1\n", "lfs-pointer"), ("", "empty-file")]
)
def test_a_file_without_its_content_is_one_finding(content: str, code: str, copied: Recorded) -> None:
    root = copied("av1")
    (root / "meta/info.json").write_text(content)
    assert [each for each, _ in found(root)] == [code]


def test_a_wrong_shape_is_one_finding(copied: Recorded) -> None:
    root = copied("av1")
    feature("action", shape=[3], names=None)(root)
    assert [code for code, severity in found(root) if severity == "error"] == ["shape-mismatch"]


def test_single_values_in_lists(copied: Recorded) -> None:
    root = copied("av1")

    def listed(table: pa.Table) -> pa.Table:
        values = pa.array([[value] for value in table["next.reward"].to_pylist()], pa.list_(pa.float32()))
        return table.set_column(table.column_names.index("next.reward"), "next.reward", values)

    change_table(root, DATA, listed)
    assert "1 levels of lists" in by_code(root, "shape-mismatch").message


def test_types_by_their_names_in_arrow_are_those_of_lerobot(copied: Recorded) -> None:
    root = copied("odd")
    feature("odd.text", dtype="large_string")(root)
    feature("action", dtype="float")(root)
    feature("odd.double", dtype="double")(root)
    assert set(found(root)) == {("dtype-alias", "warning"), ("reward-all-zero", "warning")}
    feature("odd.text", dtype="str")(root)
    assert ("bad-info", "error") in found(root)


@pytest.mark.parametrize("version", ["3.0", "v3", "v3.0.0", "V3.0"])
def test_other_spellings_of_a_version(version: str, copied: Recorded) -> None:
    root = copied("av1")
    change_info(root, codebase_version=version)
    assert found(root) == []
    assert by_code(root, "version-spelling").severity == "note"


@pytest.mark.parametrize("entry", [None, "float32", {"dtype": "float32"}, {"shape": [2]}])
def test_a_feature_that_cannot_be_understood_is_one_finding(entry: object, copied: Recorded) -> None:
    root = copied("av1")
    change_info(root, features={**read_info(root)["features"], "action": entry})
    assert found(root) == [("bad-info", "error")]


def test_images_declared_as_a_video_are_not_undeclared(copied: Recorded) -> None:
    root = copied("odd")
    feature("observation.images.eye", dtype="video")(root)
    assert "as video" in by_code(root, "undeclared-column").message
    assert len([code for code, _ in found(root, "video") if code == "missing-column"]) == 1


def test_another_frame_rate_in_info_is_one_finding_of_a_camera(tmp_path: Path) -> None:
    """The videos are sound; only ``fps`` is not."""
    root = write_legacy(tmp_path / "set", Legacy())
    change_info(root, fps=20)
    problem = by_code(root, "video-wrong-fps", "video")
    assert problem.severity == "error"
    assert "the same in" in problem.message

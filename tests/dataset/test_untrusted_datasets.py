"""A dataset is untrusted: it leads nowhere outside, runs nothing, and takes no memory it does not fill."""

from __future__ import annotations

import ast
import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lerobot_grasp_plugin
from lerobot_grasp_plugin import (
    DatasetError,
    GraspError,
    MergeConfig,
    RelabelConfig,
    SourceConfig,
    merge,
    relabel,
    verify_dataset,
)
from lerobot_grasp_plugin.dataset import layout, tables
from lerobot_grasp_plugin.dataset.opening import open_dataset
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import extract_frames
from tests.support.factories import Legacy, change_info, read_info, tree, write_legacy

PACKAGE = Path(lerobot_grasp_plugin.__file__).parent
type Recorded = Callable[[str], Path]


def refused(root: Path, target: Path) -> set[str]:
    with pytest.raises(GraspError) as caught:
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=target))
    assert not target.exists()
    return {problem.code for problem in caught.value.problems}


# -- paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "/etc/passwd",
        "../../{video_key}.mp4",
        "data/../../x",
        "{video_key}/../../../x",
        "a\0b",
        "{0.__class__}",
    ],
)
@pytest.mark.parametrize("setting", ["data_path", "video_path"])
def test_templates_that_lead_outside(setting: str, template: str, tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    change_info(root, **{setting: template})
    assert refused(root, tmp_path / "out") & {"path-outside-dataset", "bad-path-template"}


@pytest.mark.parametrize("value", [-1, 10**12, 2**62])
def test_indices_that_name_no_file(value: int, tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    path = next((root / "meta/episodes").rglob("*.parquet"))
    table = pq.ParquetFile(path).read()
    for name in table.column_names:
        if name.endswith("file_index") and name.startswith(("data", "videos")):
            column = pa.array([value] * table.num_rows, pa.int64())
            table = table.set_column(table.column_names.index(name), name, column)
    pq.write_table(table, path)
    assert refused(root, tmp_path / "out") & {"missing-file", "bad-index-column"}


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "..", ""])
def test_cameras_whose_name_is_a_path(name: str, tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "source", Legacy())
    features = read_info(root)["features"]
    features[name] = features.pop("observation.images.wrist")
    change_info(root, features=features)
    assert refused(root, tmp_path / "out") == {"bad-info"}


@pytest.mark.parametrize("where", ["meta/info.json", "meta/notes.json", "meta/episodes", "data", "video"])
def test_links_that_lead_outside(where: str, tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    secret = tmp_path / "secret"
    linked = next(root.rglob("*.mp4")) if where == "video" else root / where
    if linked.exists():
        shutil.move(linked, secret)
    else:
        secret.write_text('{"password": "x"}')
    linked.symlink_to(secret)
    assert refused(root, tmp_path / "out") == {"path-outside-dataset"}


@pytest.mark.parametrize("where", ["data", "videos", "video", "folder"])
def test_links_of_data_and_videos_are_followed_where_that_is_asked_for(
    where: str, tmp_path: Path, copied: Recorded, recorded: Recorded
) -> None:
    root, elsewhere = copied("av1"), tmp_path / "disk"
    video = next(root.rglob("*.mp4"))
    linked = {"video": video, "folder": video.parent}.get(where, root / where)
    shutil.move(linked, elsewhere)
    linked.symlink_to(elsewhere)
    sources = [SourceConfig(root=root)]
    with pytest.raises(DatasetError, match="--follow_links true"):
        merge(MergeConfig(sources=sources, new_root=tmp_path / "out"))
    report = merge(MergeConfig(sources=sources, new_root=tmp_path / "out", follow_links=True))
    assert [(p.code, p.place.path) for p in report.warnings] == [("followed-link", str(linked))]
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_symlink()]
    name = video.relative_to(root).as_posix()
    assert tree(tmp_path / "out")[name] == tree(recorded("av1"))[name]
    (labels := tmp_path / "labels.txt").write_text("".join(f"{episode}: 2-\n" for episode in range(5)))
    config = RelabelConfig(root=root, annotations=labels, new_root=tmp_path / "labelled", follow_links=True)
    assert relabel(config).verification.ok
    frames = FramesConfig(root=root, output_dir=tmp_path / "frames", episodes=[0], follow_links=True)
    assert extract_frames(frames).images == 7
    assert "followed-link" in {problem.code for problem in verify_dataset(root, follow_links=True).problems}
    assert verify_dataset(root, follow_links=True).ok
    assert not verify_dataset(root).ok


@pytest.mark.parametrize("where", ["meta/notes.json", "meta/episodes", "meta/info.json"])
def test_links_of_the_metadata_are_never_followed(where: str, tmp_path: Path, copied: Recorded) -> None:
    root, secret = copied("av1"), tmp_path / "secret"
    if (root / where).exists():
        shutil.move(root / where, secret)
    else:
        secret.write_text("x")
    (root / where).symlink_to(secret)
    with pytest.raises(DatasetError, match="path-outside-dataset"):
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out", follow_links=True))


def test_links_behind_a_link_are_not_followed(tmp_path: Path, copied: Recorded) -> None:
    root, disk, secret = copied("av1"), tmp_path / "disk", tmp_path / "secret.mp4"
    shutil.move(root / "videos", disk)
    (root / "videos").symlink_to(disk)
    video = next(disk.rglob("*.mp4"))
    shutil.move(video, secret)
    video.symlink_to(secret)
    with pytest.raises(DatasetError, match="path-outside-dataset"):
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out", follow_links=True))


def test_no_file_outside_is_copied_by_relabel(tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    (tmp_path / "secret").write_text("x")
    (root / "meta/modality.json").symlink_to(tmp_path / "secret")
    (tmp_path / "labels.txt").write_text("0: 3-\n")
    config = RelabelConfig(root=root, annotations=tmp_path / "labels.txt", new_root=tmp_path / "out")
    with pytest.raises(DatasetError, match="path-outside-dataset"):
        relabel(config)


def test_links_within_a_dataset_and_the_hub_cache_are_followed(tmp_path: Path, recorded: Recorded) -> None:
    cache = tmp_path / "datasets--me--set"
    snapshot = cache / "snapshots" / "0123abcd"
    (cache / "blobs").mkdir(parents=True)
    for number, name in enumerate(tree(recorded("av1"))):
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(recorded("av1") / name, cache / "blobs" / str(number))
        link.symlink_to(os.path.relpath(cache / "blobs" / str(number), link.parent))
    (tmp_path / "shortcut").symlink_to(snapshot)
    for number, root in enumerate((snapshot, tmp_path / "shortcut")):
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / f"out-{number}"))
        assert not [path for path in (tmp_path / f"out-{number}").rglob("*") if path.is_symlink()]


def test_circles_of_links_end(tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    (root / "meta/again").symlink_to(root / "meta")
    layout.check_links(root, "meta")
    (root / "meta/loop").symlink_to(root / "meta/loop")
    with pytest.raises(DatasetError, match="bad-link"):
        layout.check_links(root, "meta")


@pytest.mark.parametrize("header", ["../../etc", "/etc/passwd", "~root/x", "..", "a/../../b"])
def test_headers_of_annotations_open_no_file_that_is_no_dataset(header: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(f"# dataset path: {header}\n0: 3-\n")
    with pytest.raises(GraspError):
        merge(MergeConfig(annotations=tmp_path / "labels.txt", new_root=tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["labels.txt"]


# -- code ------------------------------------------------------------------------------------------


def test_nothing_in_the_package_runs_what_a_file_says() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [node.module or ""] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names]
                )
                assert not {name.partition(".")[0] for name in names} & {
                    "pickle",
                    "dill",
                    "marshal",
                    "shelve",
                }, path
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert called not in ("eval", "exec", "yaml.load", "yaml.unsafe_load", "os.system"), path
            assert given.get("trust_remote_code", "False") == "False", path
            assert given.get("allow_pickle", "False") == "False", path
            assert given.get("shell", "False") == "False", path
            if called == "torch.load":
                assert given.get("weights_only") == "True", path


# -- sizes -----------------------------------------------------------------------------------------


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_lengths_nobody_has(tmp_path: Path, copied: Recorded) -> None:
    before = peak_mb()
    legacy = write_legacy(tmp_path / "legacy", Legacy())
    entries = [json.loads(line) for line in (legacy / "meta/episodes.jsonl").read_text().splitlines()]
    for entry in entries:
        entry["length"] = 10**11
    (legacy / "meta/episodes.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    change_info(legacy, total_frames=3 * 10**11)
    refused(legacy, tmp_path / "out")

    root = copied("av1")
    path = next((root / "meta/episodes").rglob("*.parquet"))
    table = pq.ParquetFile(path).read()
    at = table.column_names.index("length")
    pq.write_table(table.set_column(at, "length", pa.array([10**12] * table.num_rows)), path)
    change_info(root, total_frames=5 * 10**12)
    refused(root, tmp_path / "out")
    assert peak_mb() - before < 500


@pytest.mark.parametrize("shape", [[10**9], [10**9, 10**9], [2**30, 2**30, 2**30]])
def test_shapes_nobody_has(shape: list[int], tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "source", Legacy())
    features = read_info(root)["features"]
    features["action"]["shape"] = shape
    change_info(root, features=features)
    assert refused(root, tmp_path / "out") == {"bad-info"}


def test_metadata_files_too_large_to_be_any(tmp_path: Path) -> None:
    before = peak_mb()
    root = write_legacy(tmp_path / "source", Legacy())
    os.truncate(root / "meta/episodes.jsonl", 3 * 2**30)
    assert refused(root, tmp_path / "out") == {"bad-json"}
    os.truncate(root / "meta/info.json", 3 * 2**30)
    assert refused(root, tmp_path / "out") == {"bad-json"}
    assert peak_mb() - before < 500


def test_numbers_with_too_many_digits(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "source", Legacy())
    (root / "meta/tasks.jsonl").write_text('{"task_index": ' + "1" * 10_000 + "}\n")
    assert refused(root, tmp_path / "out") == {"bad-json"}
    (root / "meta/info.json").write_text('{"fps": ' + "1" * 10_000 + "}")
    assert refused(root, tmp_path / "out") == {"bad-json"}


def test_row_groups_that_unpack_to_more_than_is_read(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_GROUP_BYTES", 100)
    assert refused(recorded("av1"), tmp_path / "out") == {"too-large"}


def test_a_video_index_that_is_larger_than_any(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "source", Legacy())
    video = next(root.rglob("*.mp4"))
    video.write_bytes((20).to_bytes(4, "big") + b"ftypisom" + bytes(8) + (2**31).to_bytes(4, "big") + b"moov")
    os.truncate(video, 2**31 + 20)
    assert refused(root, tmp_path / "out") == {"video-damaged"}


def test_opening_reads_no_table(recorded: Recorded) -> None:
    assert open_dataset(root=recorded("av1")).info.total_episodes == 5


@pytest.mark.parametrize("name", ["meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet"])
def test_texts_that_unfold(name: str, copied: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that stands once in a dictionary and in every row is not unfolded beyond the limit."""
    root, rows = copied("av1"), 1000
    monkeypatch.setattr(tables, "MAX_GROUP_BYTES", 2**20)
    table = pq.ParquetFile(root / name).read()
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 20_000])
    column = "tasks" if "episodes" in name else table.column_names[-1]
    table = table.take([0] * rows).set_column(table.column_names.index(column), column, text)
    pq.write_table(table, root / name, store_schema=False)
    assert (root / name).stat().st_size < 2**20
    assert "too-large" in {problem.code for problem in verify_dataset(root).problems}
    with pytest.raises(GraspError, match="too-large"):
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=root.parent / "out"))


@pytest.mark.parametrize("name", ["tasks.jsonl", "episodes.jsonl", "info.json"])
def test_half_a_character(name: str, tmp_path: Path) -> None:
    """JSON can escape what no file can hold as text."""
    root = write_legacy(tmp_path / "set", Legacy())
    path = root / "meta" / name
    text = path.read_text()
    for word in ("pick the cube", "so_follower"):
        text = text.replace(word, "\\uD800")
    path.write_text(text)
    assert "bad-json" in {problem.code for problem in verify_dataset(root).problems}
    assert refused(root, tmp_path / "out") == {"bad-json"}

"""Frames of an episode as an episode of the output, judged item by item with LeRobot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import MergeConfig, MergeReport, SourceConfig, merge
from lerobot_grasp_plugin.dataset.layout import PROVENANCE_PATH, RECORDING_PATH
from lerobot_grasp_plugin.dataset.provenance import read_provenance
from lerobot_grasp_plugin.findings.problem import GraspError, UsageError
from tests.support import factories
from tests.support.factories import RECORDINGS, Legacy, data_table, episodes_table, tree, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, label_columns, legacy_items, without_success
from tests.support.verifying import change_json, found

type Recorded = Callable[[str], Path]

SLOW_KEYFRAMES = "keyint=30:bframes=2:b-adapt=0:scenecut=0:threads=1"


def merged(target: Path, *sources: SourceConfig, **options: object) -> MergeReport:
    return merge(MergeConfig(sources=list(sources), new_root=target, **options))


def codes(report: MergeReport) -> list[str]:
    return [problem.code for problem in report.warnings]


def origins(root: Path) -> list[tuple[int | None, int | None, int | None]]:
    """Source episode, first frame and length of each episode, by the sidecar."""
    return [(e.source_episode, e.from_frame, e.length) for e in read_provenance(root).episodes.values()]


def test_each_range_is_an_episode(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    config = SourceConfig(root=source, episodes=[4, 2, 0], frames={0: "3-6", 2: "1-4, 6-"})
    report = merged(tmp_path / "out", config)
    two, zero = items_of(source, 2), items_of(source, 0)
    assert_items(tmp_path / "out", [items_of(source, 4), two[0:4], two[5:9], zero[2:6]])
    assert report.verification.ok
    known = ["done-cut-off", "statistics-of-whole-episode", "unreferenced-frames"]
    assert sorted(codes(report)) == known
    assert origins(tmp_path / "out") == [(4, None, 8), (2, 0, 4), (2, 5, 4), (0, 2, 4)]
    assert [(e.source_episode, e.from_frame, e.frames) for e in report.episodes] == origins(tmp_path / "out")
    assert "3 parts of episodes 0, 2: 4 of 16 frames are left out" in report.sources[0].notes


def test_every_camera_is_cut(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("split")
    frames = {1: "2-5", 3: "4-", 7: "3"}
    report = merged(tmp_path / "out", SourceConfig(root=source, frames=frames))
    wanted = [items_of(source, episode) for episode in range(8)]
    wanted[1], wanted[3], wanted[7] = wanted[1][1:5], wanted[3][3:], wanted[7][2:3]
    assert_items(tmp_path / "out", wanted)
    assert report.verification.ok


def test_images_in_tables_are_cut(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("odd")
    merged(tmp_path / "out", SourceConfig(root=source, frames={2: "2-3"}))
    wanted = [items_of(source, 0), items_of(source, 1), items_of(source, 2)[1:3]]
    assert_items(tmp_path / "out", wanted)


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_a_cut_between_keyframes_copies_from_the_keyframe(tmp_path: Path, version: str) -> None:
    spec = Legacy(lengths=(45, 40), version=version, extra_video_frames=2, tasks=("pick", "place"))
    source = write_legacy(tmp_path / "source", spec)
    for episode, length in enumerate(spec.lengths):
        images = [factories.image(spec.seed, episode, frame) for frame in range(length + 2)]
        path = source / factories.LEGACY_VIDEO.format(
            episode_chunk=0, video_key=spec.cameras[0], episode_index=episode
        )
        factories.encode(path, images, spec.fps, parameters=SLOW_KEYFRAMES)
    report = merged(tmp_path / "out", SourceConfig(root=source, frames={0: "5-8, 34-41", 1: "11-"}))
    zero, one = legacy_items(source, spec, 0), legacy_items(source, spec, 1)
    assert_items(tmp_path / "out", [zero[4:8], zero[33:41], one[10:40]])
    assert report.verification.ok
    said = [problem.message for problem in report.warnings if problem.code == "unreferenced-frames"]
    assert len(said) == 1
    assert "no row refers to" in said[0]
    assert ("statistics-of-whole-episode" in codes(report)) == (version == "v2.1")  # else measured


def test_timestamps_count_from_the_first_frame(tmp_path: Path) -> None:
    """Also those off the grid by less than LeRobot sees, to the last bit of what is on it."""
    spec = Legacy(lengths=(12,), fps=30, jitter_s=5e-5)
    exact = Legacy(lengths=(12,), fps=30)
    for name, own in (("jitter", spec), ("exact", exact)):
        source = write_legacy(tmp_path / name, own)
        report = merged(tmp_path / f"{name}-out", SourceConfig(root=source, frames={0: "5-9"}))
        assert report.sources[0].timestamps_fixed == 0
        stamps = data_table(tmp_path / f"{name}-out")["timestamp"].to_numpy()
        own_stamps = factories.legacy_timestamps(own, 0)[4:9].astype(np.float64)
        assert np.abs(stamps - (own_stamps - 4 / 30)).max() < 1e-7
    assert stamps.tolist() == (np.arange(5) / 30).astype(np.float32).tolist()


@pytest.mark.parametrize("alignment", ["frame", "next"])
@pytest.mark.parametrize("done", ["episode_end", "first_success", "last_frame_of_success", "keep"])
def test_annotations_are_cut(recorded: Recorded, tmp_path: Path, alignment: str, done: str) -> None:
    source, lengths = recorded("av1"), RECORDINGS["av1"].lengths
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 2-3, 6-\n1: all success\n2: 4-6\n3: all fail\n4: 1\n")
    config = SourceConfig(root=source, frames={0: "3-6", 2: "1-4, 5-7"})
    options = {"annotations": labels, "alignment": alignment, "done": done}
    report = merged(tmp_path / "out", config, **options)
    success = [[0, 3], range(lengths[1]), [3], [0, 1], [], [0]]
    sizes = [4, lengths[1], 4, 3, lengths[3], lengths[4]]
    whole = [False, True, False, False, True, True]
    wanted = [
        without_success(
            label_columns(
                frames,
                size,
                alignment=alignment,
                done=done,
                kept=[is_whole and row == size - 1 for row in range(size)],
            )
        )
        for frames, size, is_whole in zip(success, sizes, whole, strict=True)
    ]
    zero, two = items_of(source, 0), items_of(source, 2)
    items = [zero[2:6], items_of(source, 1), two[:4], two[4:7], items_of(source, 3), items_of(source, 4)]
    assert_items(tmp_path / "out", items, labels=wanted)
    assert ("done-cut-off" in codes(report)) == (done == "keep")
    assert report.success_frames == sum(map(sum, (columns["next.reward"] for columns in wanted)))
    notes = " ".join(report.sources[0].notes)
    assert "5 of 16 frames are left out, 2 of them success" in notes


def test_recorded_labels_are_cut(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    config = SourceConfig(root=source, frames={0: "5-6"}, labels_from="next.reward")
    report = merged(tmp_path / "out", config, done="episode_end")
    rows = data_table(tmp_path / "out")
    assert rows["next.reward"].to_pylist()[:2] == [0.0, 1.0]
    assert rows["next.done"].to_pylist()[:2] == [False, True]
    assert report.episodes[0].success_frames == 1


def test_frames_are_counted_as_the_recipe_says(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("unlabelled")
    config = SourceConfig(root=source, episodes=[2], frames={2: "0-1, 5"})
    report = merged(tmp_path / "out", config, index_base=0)
    assert origins(tmp_path / "out") == [(2, 0, 2), (2, 5, 1)]
    assert report.index_base == 0


def test_everything_wrong_is_said_at_once(recorded: Recorded, tmp_path: Path) -> None:
    frames = {0: "5-80", 1: "3-2, 0-1", 2: "1-4, 4-5", 3: "1-2", 4: "all fail", 5: "x", 99: "1-"}
    one = SourceConfig(root=recorded("av1"), episodes="!3", frames=frames)
    two = SourceConfig(root=recorded("av1-other"), frames={1: "2-9"})
    with pytest.raises(UsageError) as caught:
        merged(tmp_path / "out", one, two)
    assert sorted(problem.code for problem in caught.value.problems) == [
        "frame-zero",
        "frames-not-chosen",
        "missing-ranges",
        "overlapping-ranges",
        "range-past-end",
        "range-past-end",
        "reversed-range",
        "unknown-episode",
        "unknown-episode",
        "unknown-token",
    ]
    assert "frames of av1-other" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_wrong_frames_are_named_with_wrong_annotations(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 1-90\n")
    with pytest.raises(GraspError) as caught:
        merged(tmp_path / "out", SourceConfig(root=recorded("av1"), frames={0: "9"}), annotations=labels)
    assert {problem.code for problem in caught.value.problems} == {"range-past-end", "unlisted-episode"}
    assert len(caught.value.problems) == 3


def test_episodes_that_are_left_out_later_are_not_cut(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("1: 1\n2: 3\n")
    config = SourceConfig(root=recorded("av1"), frames={0: "1-2", 2: "2-4"})
    merged(tmp_path / "out", config, annotations=labels, unlisted="drop")
    assert origins(tmp_path / "out") == [(1, None, 5), (2, 1, 3)]


def test_an_output_is_cut_again(recorded: Recorded, tmp_path: Path) -> None:
    """Each output leads to the frames of the one before, and the rows are those of the recording."""
    source = recorded("av1")
    merged(tmp_path / "a", SourceConfig(root=source, episodes=[2, 4], frames={2: "2-8", 4: "3-"}))
    merged(tmp_path / "b", SourceConfig(root=tmp_path / "a", frames={0: "2-3, 5-6", 1: "2-"}))
    merged(tmp_path / "c", SourceConfig(root=tmp_path / "b", episodes=[2, 1]))
    assert origins(tmp_path / "b") == [(0, 1, 2), (0, 4, 2), (1, 1, 5)]
    assert origins(tmp_path / "c") == [(2, None, 5), (1, None, 2)]
    assert_items(tmp_path / "c", [items_of(source, 4)[3:], items_of(source, 2)[5:7]])
    merged(tmp_path / "d", SourceConfig(root=source, episodes=[4, 2], frames={4: "4-", 2: "6-7"}))
    hashes = [read_provenance(tmp_path / name).hashes_of_episodes() for name in "cd"]
    assert hashes[0] == hashes[1]


def test_the_same_recipe_gives_the_same_bytes(recorded: Recorded, tmp_path: Path) -> None:
    config = SourceConfig(root=recorded("split"), frames={0: "2-5, 7-", 3: "1-2"})
    for name in ("one", "two"):
        merged(tmp_path / name / "out", config)
    assert tree(tmp_path / "one/out") == tree(tmp_path / "two/out")


def test_all_frames_in_parts_are_the_same_packets(recorded: Recorded, tmp_path: Path) -> None:
    """A split at every frame leaves nothing out, and counts the images of the whole as before."""
    source = recorded("av1")
    report = merged(tmp_path / "out", SourceConfig(root=source, frames={0: "1-4, 5-7"}))
    zero = items_of(source, 0)
    others = [items_of(source, episode) for episode in range(1, 5)]
    assert_items(tmp_path / "out", [zero[:4], zero[4:], *others])
    assert "unreferenced-frames" not in codes(report)
    name = "stats/observation.images.wrist/count"
    own, new = (episodes_table(root)[name].to_pylist() for root in (source, tmp_path / "out"))
    assert new[0][0] + new[1][0] == own[0][0]


def test_frames_that_come_twice_are_named(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    one = SourceConfig(root=source, episodes=[0], frames={0: "1-4"})
    other = SourceConfig(root=source, episodes=[0], frames={0: "5-"})
    again = SourceConfig(root=source, episodes=[0], frames={0: "4-5"})
    assert "episode-chosen-twice" not in codes(merged(tmp_path / "a", one, other))
    assert "episode-chosen-twice" in codes(merged(tmp_path / "b", one, other, again))


def test_verify_knows_whose_the_statistics_of_images_are(tmp_path: Path) -> None:
    spec = Legacy(lengths=(12,))
    source, camera = write_legacy(tmp_path / "source", spec), spec.cameras[0]
    path = source / factories.LEGACY_VIDEO.format(episode_chunk=0, video_key=camera, episode_index=0)
    shape = (factories.HEIGHT, factories.WIDTH, 3)
    factories.encode(
        path, [np.full(shape, 40 if frame < 6 else 200, np.uint8) for frame in range(12)], spec.fps
    )
    listed = source / "meta/episodes_stats.jsonl"
    entry = json.loads(listed.read_text())
    for name, value in (("min", 40), ("mean", 120), ("max", 200), ("std", 80)):
        entry["stats"][camera][name] = [[[value / 255]]] * 3
    listed.write_text(json.dumps(entry) + "\n")
    merged(tmp_path / "out", SourceConfig(root=source, frames={0: "7-"}))
    assert "video-other-pictures" not in [code for code, _ in found(tmp_path / "out", "decode")]
    change_json(tmp_path / "out", PROVENANCE_PATH, _forget)
    assert "video-other-pictures" in [code for code, _ in found(tmp_path / "out", "decode")]


def test_a_recording_is_cut(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy(lengths=(12, 12), labels=True))
    entry = {
        "length": 12,
        "success": [[4, 6], [11, 12]],
        "pauses": [[2, 0.5], [7, 1.5]],
        "keys": [{"action": "toggle", "frame_index": 6, "time_s": 0.61, "from_frame": 4}],
        "timing": {"rate": 1.0},
    }
    raw = {"format": 1, "index_base": 0, "labels": {}, "episodes": {"0": entry, "1": entry}}
    (source / RECORDING_PATH).write_text(json.dumps(raw))
    merged(tmp_path / "a", SourceConfig(root=source, frames={1: "6-10"}))
    merged(tmp_path / "b", SourceConfig(root=tmp_path / "a", episodes=[1], frames={1: "2-3"}))
    entries = json.loads((tmp_path / "a" / RECORDING_PATH).read_text())["episodes"]
    assert entries["0"] == entry
    assert entries["1"] == {
        "length": 5,
        "success": [[0, 1]],
        "pauses": [[2, 1.5]],
        "keys": [{"action": "toggle", "frame_index": 1, "time_s": 0.11, "from_frame": 0}],
        "timing": {"rate": 1.0},
        "part_of": {"start": 5, "stop": 10, "length": 12},
    }
    again = json.loads((tmp_path / "b" / RECORDING_PATH).read_text())["episodes"]["0"]
    assert again["part_of"] == {"start": 6, "stop": 8, "length": 12}


def _forget(raw: dict) -> None:
    del raw["episodes"][0]["from_frame"]


def _with_columns(root: Path, columns: dict[str, Sequence[object]]) -> None:
    for path in root.glob("meta/episodes/*/*.parquet"):
        table = pq.ParquetFile(path).read()
        for name, values in columns.items():
            table = table.append_column(name, pa.array(values))
        pq.write_table(table, path)


def test_columns_with_frame_numbers_are_cut(copied: Recorded, tmp_path: Path) -> None:
    source = copied("unlabelled")
    subtasks = {
        "sparse_subtask_names": [["reach"], None, ["reach", "grasp", "lift"]],
        "sparse_subtask_start_times": [[0.0], None, [0.0, 0.2, 0.4]],
        "sparse_subtask_end_times": [[0.4], None, [0.1, 0.3, 0.5]],
        "sparse_subtask_start_frames": [[0], None, [0, 2, 4]],
        "sparse_subtask_end_frames": [[4], None, [1, 3, 5]],
    }
    _with_columns(source, {**subtasks, "operator": ["a", "b", "c"]})
    report = merged(tmp_path / "out", SourceConfig(root=source, frames={2: "4-5"}))
    table = episodes_table(tmp_path / "out")
    assert table["sparse_subtask_names"].to_pylist() == [["reach"], None, ["grasp", "lift"]]
    assert table["sparse_subtask_start_frames"].to_pylist() == [[0], None, [0, 1]]
    assert table["sparse_subtask_end_frames"].to_pylist() == [[4], None, [0, 1]]
    assert np.allclose(table["sparse_subtask_start_times"].to_pylist()[2], [0.0, 0.1])
    assert np.allclose(table["sparse_subtask_end_times"].to_pylist()[2], [0.0, 0.1])
    assert table["operator"].to_pylist() == ["a", "b", "c"]
    said = [problem.message for problem in report.warnings if problem.code == "column-not-cut"]
    assert len(said) == 1
    assert "'operator'" in said[0]
    assert "subtask" not in said[0]


def test_tables_of_frames_are_cut(copied: Recorded, tmp_path: Path) -> None:
    source, lengths = copied("unlabelled"), RECORDINGS["unlabelled"].lengths
    table = pa.table(
        {
            "index": np.arange(sum(lengths)),
            "episode_index": np.repeat(range(3), lengths),
            "frame_index": np.concatenate([np.arange(length) for length in lengths]),
            "progress_sparse": np.linspace(0, 1, sum(lengths)),
        }
    )
    pq.write_table(table, source / "sarm_progress.parquet")
    merged(tmp_path / "out", SourceConfig(root=source, frames={0: "2, 4-5", 2: "3-4"}))
    cut = pq.read_table(tmp_path / "out/sarm_progress.parquet")
    assert cut["index"].to_pylist() == list(range(6))
    assert cut["episode_index"].to_pylist() == [0, 1, 1, 2, 3, 3]
    assert cut["frame_index"].to_pylist() == [0, 0, 1, 0, 0, 1]
    rows = [1, 3, 4, 5, 8, 9]
    assert cut["progress_sparse"].to_pylist() == table["progress_sparse"].take(rows).to_pylist()


def test_whole_episodes_do_without_the_reader_of_parts(recorded: Recorded, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge
merge(MergeConfig(sources=[SourceConfig(root=Path(sys.argv[1]))], new_root=Path(sys.argv[2])))
print([name for name in sys.modules if name.rpartition(".")[2].startswith("cut")])
"""
    arguments = [sys.executable, "-c", code, str(recorded("unlabelled")), str(tmp_path / "out")]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    assert "from_frame" not in (tmp_path / "out/meta/grasp_provenance.json").read_text()

"""Label options, against an independent computation row by row."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin import (
    AnnotationError,
    DataError,
    GraspError,
    RelabelConfig,
    SourceConfig,
    UsageError,
    merge,
    relabel,
)
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from tests.support.factories import RECORDINGS, Legacy, data_table, read_info, tree, write_legacy
from tests.support.lerobot_judge import (
    assert_items,
    items_of,
    label_columns,
    leftovers,
    legacy_items,
    open_set,
    without_success,
)

type Recorded = Callable[[str], Path]

TEXT = "0: 3-\n1: 1, 4-5\n2: all fail\n3: all success\n4: 8\n"
SUCCESS = [range(2, 7), (0, 3, 4), (), range(6), (7,)]
LENGTHS = RECORDINGS["av1"].lengths


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text(TEXT)
    return path


def wanted_labels(**options: object) -> list[dict]:
    return [label_columns(list(s), n, **options) for s, n in zip(SUCCESS, LENGTHS, strict=True)]


def written(root: Path, names: tuple[str, ...] = ("next.reward", "next.done")) -> list[dict]:
    """Label columns of each episode, straight from the tables."""
    table, episodes, start = data_table(root), [], 0
    for length in LENGTHS:
        rows = table.slice(start, length)
        episodes.append({name: rows[name].to_pylist() for name in names if name in table.column_names})
        start += length
    return episodes


def test_relabel_changes_labels_and_nothing_else(recorded: Recorded, labels: Path, tmp_path: Path) -> None:
    source, out = recorded("av1"), tmp_path / "out"
    before = tree(source)
    report = relabel(RelabelConfig(root=source, annotations=labels, new_root=out))
    wanted = [items_of(source, episode) for episode in range(5)]
    columns = [without_success(column) for column in wanted_labels(done="episode_end")]
    assert_items(out, wanted, labels=columns)
    assert tree(source) == before
    assert report.video_files in ({"copy": 1}, {"reflink": 1})
    assert report.sources[0].done == "keep"
    assert report.success_frames == 5 + 3 + 0 + 6 + 1
    video = "videos/observation.images.wrist/chunk-000/file-000.mp4"
    assert tree(out)[video] == before[video]
    assert open_set(out).features["next.reward"]["shape"] == (1,)


@pytest.mark.parametrize("alignment", ["frame", "next"])
@pytest.mark.parametrize("done", ["keep", "episode_end", "first_success", "last_frame_of_success"])
def test_alignment_and_done(
    alignment: str, done: str, recorded: Recorded, labels: Path, tmp_path: Path
) -> None:
    config = RelabelConfig(
        root=recorded("av1"),
        annotations=labels,
        new_root=tmp_path / "out",
        alignment=alignment,
        done=done,
        next_success=True,
        success_value=2.5,
        failure_value=-0.1,
    )
    report = relabel(config)
    names = ("next.reward", "next.done", "next.success")
    expected = []
    for success, length in zip(SUCCESS, LENGTHS, strict=True):
        kept = [row == length - 1 for row in range(length)]
        options = {"alignment": alignment, "done": done, "values": (-0.1, 2.5), "kept": kept}
        expected.append(label_columns(list(success), length, **options))
    assert written(tmp_path / "out", names) == expected
    assert read_info(tmp_path / "out")["features"]["next.success"] == {
        "dtype": "bool",
        "shape": [1],
        "names": None,
    }
    counts = [sum(columns["next.success"]) for columns in expected]
    assert [episode.success_frames for episode in report.episodes] == counts


def test_labels_for_a_source_without_any(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text(
        '{"index_base": 0, "episodes": {"0": {"ranges": [[3, null]]}, "1": null, "2": {"success_start": 1}}}'
    )
    report = relabel(
        RelabelConfig(root=recorded("unlabelled"), annotations=labels, new_root=tmp_path / "out")
    )
    columns = [label_columns(s, n) for s, n in (([3, 4], 5), ([], 1), ([1, 2, 3, 4, 5], 6))]
    wanted = [items_of(recorded("unlabelled"), episode) for episode in range(3)]
    assert_items(tmp_path / "out", wanted, labels=[without_success(column) for column in columns])
    assert report.sources[0].done == "episode_end"


def test_done_keep_needs_something_to_keep(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("0: all fail\n1: all fail\n2: all fail\n")
    with pytest.raises(DataError, match="nothing-to-keep"):
        relabel(
            RelabelConfig(
                root=recorded("unlabelled"), annotations=labels, new_root=tmp_path / "out", done="keep"
            )
        )
    assert not (tmp_path / "out").exists()


def test_one_based_and_zero_based_differ_by_a_frame(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# index_base: 0\n0: 3-\n1: 1-2\n2: 0\n3: all fail\n4: all fail\n")
    relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out"))
    rewards = [episode["next.reward"] for episode in written(tmp_path / "out")]
    assert rewards[0] == [0, 0, 0, 1, 1, 1, 1]
    assert rewards[1] == [0, 1, 1, 0, 0]
    assert rewards[2][:2] == [1, 0]


@pytest.mark.parametrize("unlisted", ["error", "fail", "keep", "drop"])
def test_unlisted(unlisted: str, recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("1: 1\n3: 2-3\n")
    config = RelabelConfig(
        root=recorded("av1"), annotations=labels, new_root=tmp_path / "out", unlisted=unlisted
    )
    if unlisted == "error":
        with pytest.raises(AnnotationError, match=r"0, 2, 4 \[unlisted-episode\]"):
            relabel(config)
        assert not (tmp_path / "out").exists()
        return
    report = relabel(config)
    wanted = {1: [0], 3: [1, 2]}
    if unlisted == "keep":
        wanted |= {episode: RECORDINGS["av1"].rewards.get(episode, ()) for episode in (0, 2, 4)}
    if unlisted == "fail":
        wanted |= dict.fromkeys((0, 2, 4), ())
    chosen = sorted(wanted)
    columns = [without_success(label_columns(list(wanted[e]), LENGTHS[e])) for e in chosen]
    assert_items(tmp_path / "out", [items_of(recorded("av1"), e) for e in chosen], labels=columns)
    assert any("unlisted episodes" in note and "0, 2, 4" in note for note in report.sources[0].notes)


def test_unlisted_keep_without_rewards(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("1: 1\n")
    with pytest.raises(AnnotationError, match="nothing-to-keep"):
        relabel(
            RelabelConfig(
                root=recorded("unlabelled"), annotations=labels, new_root=tmp_path / "out", unlisted="keep"
            )
        )


def test_unlisted_keep_writes_one_pair_of_values(recorded: Recorded, labels: Path, tmp_path: Path) -> None:
    """What was success stays success, in the values of this call."""
    first = tmp_path / "first"
    relabel(
        RelabelConfig(
            root=recorded("av1"), annotations=labels, new_root=first, success_value=5, failure_value=-1
        )
    )
    few = tmp_path / "few.txt"
    few.write_text("0: 1\n")
    report = relabel(RelabelConfig(root=first, annotations=few, new_root=tmp_path / "out", unlisted="keep"))
    assert report.warnings == ()
    assert (
        "their rewards (5 and -1) are written as 1 for success and 0 for failure" in report.sources[0].notes
    )
    rewards = [episode["next.reward"] for episode in written(tmp_path / "out")]
    assert rewards[0] == [1, 0, 0, 0, 0, 0, 0]
    assert rewards[1:] == [e["next.reward"] for e in wanted_labels()[1:]]


def test_a_done_made_from_old_labels_is_not_kept_in_silence(
    recorded: Recorded, labels: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=first, done="first_success"))
    corrected = tmp_path / "corrected.txt"
    corrected.write_text(TEXT.replace("0: 3-", "0: 5-"))
    kept = relabel(RelabelConfig(root=first, annotations=corrected, new_root=tmp_path / "kept"))
    assert [(p.code, p.hint) for p in kept.warnings] == [
        ("stale-done", "recompute it with --done first_success")
    ]
    anew = relabel(
        RelabelConfig(root=first, annotations=corrected, new_root=tmp_path / "anew", done="first_success")
    )
    assert not anew.warnings
    assert written(tmp_path / "anew")[0]["next.done"] == [False] * 4 + [True, False, True]


def test_alignments_that_differ_are_named(recorded: Recorded, labels: Path, tmp_path: Path) -> None:
    for alignment in ("frame", "next"):
        relabel(
            RelabelConfig(
                root=recorded("av1"),
                annotations=labels,
                new_root=tmp_path / alignment,
                alignment=alignment,
            )
        )
    both = [SourceConfig(root=tmp_path / name) for name in ("frame", "next")]
    report = merge(MergeConfig(sources=both, new_root=tmp_path / "both"))
    assert [p.code for p in report.warnings] == ["alignment-differs", "duplicate-episode"]
    assert "frame frame, next next" in report.warnings[0].message
    few = tmp_path / "few.txt"
    few.write_text("0: 1\n")
    report = relabel(
        RelabelConfig(root=tmp_path / "next", annotations=few, new_root=tmp_path / "few", unlisted="keep")
    )
    assert [p.code for p in report.warnings] == ["alignment-differs"]
    relabel(RelabelConfig(root=tmp_path / "next", annotations=labels, new_root=tmp_path / "again"))


def test_every_label_fault_at_once(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 3-9\n1: 6\n2: all fail\n7: 1\n12: all success\n")
    before = tree(recorded("av1"))
    with pytest.raises(AnnotationError) as caught:
        relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out"))
    codes = [problem.code for problem in caught.value.problems]
    assert codes.count("range-past-end") == 2
    assert codes.count("unknown-episode") == 2
    assert [str(problem.place) for problem in caught.value.problems if problem.code == "range-past-end"] == [
        f"{labels}:1:4",
        f"{labels}:2:4",
    ]
    assert list(tmp_path.iterdir()) == [labels]
    assert tree(recorded("av1")) == before


def test_labels_of_episodes_that_are_not_chosen_do_no_harm(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(TEXT)
    merge(
        MergeConfig(
            sources=[SourceConfig(root=recorded("av1"), episodes=[1])],
            annotations=labels,
            new_root=tmp_path / "out",
        )
    )
    assert data_table(tmp_path / "out")["next.reward"].to_pylist() == [1, 0, 0, 1, 1]


def test_a_legacy_source_becomes_v30(tmp_path: Path, labels: Path) -> None:
    spec = Legacy(version="v2.1", labels=True)
    source = write_legacy(tmp_path / "source", spec)
    (source / "meta/modality.json").write_text('{"state": {}}')
    labels.write_text("0: 2-4\n1: all fail\n2: 5\n")
    relabel(RelabelConfig(root=source, annotations=labels, new_root=tmp_path / "out"))
    columns = [label_columns(s, n) for s, n in (([1, 2, 3], 6), ([], 4), ([4], 5))]
    assert_items(
        tmp_path / "out",
        [legacy_items(source, spec, episode) for episode in range(3)],
        labels=[without_success(column) for column in columns],
    )
    assert (tmp_path / "out/meta/modality.json").read_text() == '{"state": {}}'


# -- in place ---------------------------------------------------------------------------------------


def test_in_place_keeps_the_old_one(copied: Recorded, labels: Path, recorded: Recorded) -> None:
    source = copied("av1")
    before = tree(source)
    first = relabel(RelabelConfig(root=source, annotations=labels, in_place=True))
    assert first.root == source
    assert first.backup is not None
    assert first.backup.parent == source.parent
    assert tree(first.backup) == before
    columns = [without_success(column) for column in wanted_labels()]
    assert_items(source, [items_of(recorded("av1"), e) for e in range(5)], labels=columns)
    between = tree(source)
    second = relabel(RelabelConfig(root=source, annotations=labels, in_place=True))
    assert second.backup is not None
    assert second.backup != first.backup
    assert tree(first.backup) == before
    assert tree(second.backup) == between
    assert set(leftovers(source.parent)) == {first.backup, second.backup}


def test_in_place_that_fails_changes_nothing(copied: Recorded, labels: Path) -> None:
    source = copied("av1")
    data = source / "data/chunk-000/file-000.parquet"
    content = bytearray(data.read_bytes())
    content[200:900] = bytes(700)
    data.write_bytes(content)
    before = tree(source.parent)
    with pytest.raises(GraspError):
        relabel(RelabelConfig(root=source, annotations=labels, in_place=True))
    assert tree(source.parent) == before
    assert [path.name for path in source.parent.iterdir()] == ["av1"]


def test_in_place_on_a_link_or_with_a_target(copied: Recorded, labels: Path, tmp_path: Path) -> None:
    source = copied("av1")
    link = tmp_path / "link"
    link.symlink_to(source)
    with pytest.raises(UsageError, match="not-replaceable"):
        relabel(RelabelConfig(root=link, annotations=labels, in_place=True))
    with pytest.raises(UsageError, match="contradicting-options"):
        relabel(RelabelConfig(root=source, annotations=labels, in_place=True, new_root=tmp_path / "x"))
    assert link.is_symlink()


def test_in_place_where_nothing_can_be_written(copied: Recorded, labels: Path) -> None:
    source = copied("av1")
    blocked = source.parent
    (blocked / "x").write_text("")
    before = tree(blocked)
    shutil.rmtree(source / "data")
    with pytest.raises(GraspError, match="missing-file"):
        relabel(RelabelConfig(root=source, annotations=labels, in_place=True))
    assert set(tree(blocked)) == {name for name in before if "/data/" not in name}


# -- links ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["auto", "copy", "hard"])
def test_links(link: str, copied: Recorded, labels: Path, tmp_path: Path) -> None:
    source, out = copied("split"), tmp_path / "out"
    labels.write_text("".join(f"{episode}: all fail\n" for episode in range(8)))
    report = relabel(RelabelConfig(root=source, annotations=labels, new_root=out, link=link))
    nodes = {path.stat().st_ino for path in source.rglob("*.mp4")}
    mine = {path.stat().st_ino for path in out.rglob("*.mp4")}
    assert len(mine) == 8
    assert (nodes == mine) if link == "hard" else not (nodes & mine)
    ways = {"hard": {"hard link"}, "copy": {"copy"}, "auto": {"copy", "reflink"}}[link]
    assert set(report.video_files) <= ways
    assert_items(
        out,
        [items_of(source, episode) for episode in range(8)],
        labels=[without_success(label_columns([], n)) for n in RECORDINGS["split"].lengths],
    )
    assert not {path.stat().st_ino for path in source.rglob("*.parquet")} & {
        path.stat().st_ino for path in out.rglob("*.parquet")
    }


@pytest.mark.parametrize(("success", "failure"), [(1.0, 1.0), (1.00000001, 1.0), (1e60, 0.0), (0.0, 1e-60)])
def test_values_that_float32_cannot_tell_apart_are_refused(
    success: float, failure: float, recorded: Recorded, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 2-\n")
    with pytest.raises(UsageError, match="float32"):
        relabel(
            RelabelConfig(
                root=recorded("av1"),
                annotations=labels,
                unlisted="fail",
                new_root=tmp_path / "out",
                success_value=success,
                failure_value=failure,
            )
        )
    assert not (tmp_path / "out").exists()


def test_json_that_excludes_the_last_frame(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('{"index_base": 1, "0": {"ranges": [[3, null]], "exclude": [7]}, "1": null}')
    relabel(
        RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out", unlisted="fail")
    )
    assert written(tmp_path / "out")[0]["next.reward"] == [0, 0, 1, 1, 1, 1, 0]


def test_a_source_that_is_dropped_whole_is_named(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# av1\n0: 3-\n# av1-other\n2: 1\n")
    sources = [
        SourceConfig(root=recorded("av1"), episodes=[1, 2]),
        SourceConfig(root=recorded("av1-other"), episodes=[2]),
    ]
    report = merge(
        MergeConfig(
            sources=sources,
            annotations=labels,
            unlisted="drop",
            new_root=tmp_path / "out",
            robot_type="so_follower",
        )
    )
    [warning] = report.warnings
    assert warning.code == "source-left-out"
    assert "no episodes of av1 are in the output" in warning.message
    assert "unlisted episodes left out: 1-2" in warning.message


@pytest.mark.parametrize("header", ["# /data/somebody/av2", "# dataset path: somebody/av2"])
def test_labels_under_a_header_that_fits_nothing_are_named(
    header: str, recorded: Recorded, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(f"# av1\n0: 3-\n{header}\n2: 1\n3: 1\n")
    report = relabel(
        RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out", unlisted="fail")
    )
    warning, outcome = report.warnings
    assert (warning.code, str(warning.place)) == ("unused-section", f"{labels}:3")
    assert outcome.code == "outcome-differs"
    assert "labels (2 episodes) are not used" in warning.message


def test_a_section_of_another_dataset_is_no_news(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(f"# av1\n0: 3-\n# {recorded('av1-other')}\n2: 1\n")
    report = relabel(
        RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out", unlisted="fail")
    )
    assert [problem.code for problem in report.warnings] == ["outcome-differs"]


def test_done_to_keep_is_missed_everywhere_at_once(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# unlabelled\n0: 1\n")
    sources = [SourceConfig(root=recorded("unlabelled"), episodes=[0])] * 2
    with pytest.raises(DataError, match=r"unlabelled, unlabelled has no feature next.done"):
        merge(MergeConfig(sources=sources, annotations=labels, done="keep", new_root=tmp_path / "out"))


def test_an_index_base_that_is_none(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(f"# {recorded('av1')}\n0: 1\n")
    with pytest.raises(UsageError, match="index-base-unknown"):
        merge(MergeConfig(annotations=labels, index_base=2, new_root=tmp_path / "out"))


def test_home_in_the_path_of_annotations(
    recorded: Recorded, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    config = RelabelConfig(root=recorded("av1"), annotations=Path("~/labels.txt"), new_root=tmp_path / "out")
    assert relabel(config).success_frames == 15


@pytest.mark.parametrize("header", ["# dataset path: {}/elsewhere/me/x", "# dataset path: elsewhere/me/x"])
def test_a_header_that_is_the_path_of_another_dataset(
    header: str, recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    shutil.copytree(recorded("av1"), tmp_path / "elsewhere/me/x")
    shutil.copytree(recorded("av1-other"), tmp_path / "home/me/x")
    labels = tmp_path / "labels.txt"
    labels.write_text(header.format(tmp_path) + "\n0: 3-\n")
    with pytest.raises(AnnotationError, match="ambiguous-header"):
        relabel(RelabelConfig(repo_id="me/x", annotations=labels, new_root=tmp_path / "o", unlisted="fail"))


def test_annotations_that_no_source_uses_are_named(recorded: Recorded, labels: Path, tmp_path: Path) -> None:
    report = merge(
        MergeConfig(
            sources=[SourceConfig(root=recorded("av1"), annotations=labels)],
            annotations=tmp_path / "nothing.txt",
            new_root=tmp_path / "out",
        )
    )
    assert report.warnings[0].code == "unused-annotations"
    assert {problem.code for problem in report.warnings[1:]} == {"outcome-differs"}


def test_in_place_from_inside(copied: Recorded, labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = copied("av1")
    monkeypatch.chdir(source)
    report = relabel(RelabelConfig(root=Path(), annotations=labels, in_place=True))
    assert report.root == source
    assert report.backup is not None
    assert report.backup.parent == source.parent


@pytest.mark.parametrize("unlisted", ["fail", "keep", "drop"])
def test_a_file_that_labels_nothing_is_refused(unlisted: str, recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# dataset path: me/av2\n0: 3-\n")
    config = RelabelConfig(
        root=recorded("av1"), annotations=labels, new_root=tmp_path / "out", unlisted=unlisted
    )
    with pytest.raises(AnnotationError, match="no-section"):
        relabel(config)


@pytest.mark.parametrize(("left", "named"), [("!1", "episode 1"), ("!0,1,4", "episodes 0-1, 4")])
def test_what_is_annotated_and_not_chosen_is_named(
    left: str, named: str, recorded: Recorded, labels: Path, tmp_path: Path
) -> None:
    source = SourceConfig(root=recorded("av1"), episodes=left)
    report = merge(MergeConfig(sources=[source], annotations=labels, new_root=tmp_path / "out"))
    assert f"annotated, but not chosen: {named}" in report.sources[0].notes

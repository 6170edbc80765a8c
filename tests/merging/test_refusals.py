"""What a merge refuses: all of it at once, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin import (
    GraspError,
    MergeConfig,
    MergeError,
    SourceConfig,
    UsageError,
    merge,
)
from tests.support.factories import Legacy, change_info, read_info, tree, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, leftovers, legacy_items
from tests.support.refusals import refused

type Recorded = Callable[[str], Path]


def test_every_mismatch_at_once(tmp_path: Path, copied: Recorded) -> None:
    one = copied("av1")
    other = write_legacy(tmp_path / "other", Legacy(robot_type=None, labels=True))
    info = read_info(other)
    info["fps"] = 20
    info["features"]["observation.state"]["names"] = ["left", "right"]
    info["features"]["action"] |= {"dtype": "float64", "shape": [3]}
    info["features"]["extra"] = {"dtype": "float32", "shape": [1], "names": None}
    change_info(other, **info)
    before = tree(one), tree(other)
    problems = refused(tmp_path / "out", SourceConfig(root=one), SourceConfig(root=other), error=MergeError)
    found = {problem.code: problem for problem in problems}
    assert set(found) == {
        "fps-mismatch",
        "robot-type-mismatch",
        "feature-names",
        "feature-dtype",
        "feature-shape",
        "feature-missing",
        "codec-mismatch",
    }
    assert "--robot_type so_follower" in found["robot-type-mismatch"].hint
    assert "--names first" in found["feature-names"].hint
    assert "--drop_features '[\"action\"]'" in found["feature-dtype"].hint
    assert "--drop_features '[\"extra\"]'" in found["feature-missing"].hint
    assert "--mixed_codecs true" in found["codec-mismatch"].hint
    assert "10 in av1; 20 in other" in found["fps-mismatch"].message
    assert (tree(one), tree(other)) == before


def test_names_of_dimensions_are_compared_and_not_their_spelling(tmp_path: Path) -> None:
    """Older recordings write ``{"motors": [...]}`` where newer ones write the list."""
    one = write_legacy(tmp_path / "one", Legacy())
    other = write_legacy(tmp_path / "other", Legacy(version="v2.0"))
    features = read_info(other)["features"]
    names = features["observation.state"]["names"]
    features["observation.state"]["names"] = {"motors": names}
    change_info(other, features=features)
    merge(MergeConfig(sources=[SourceConfig(root=one), SourceConfig(root=other)], new_root=tmp_path / "out"))
    assert read_info(tmp_path / "out")["features"]["observation.state"]["names"] == names


def test_each_option_settles_its_mismatch(tmp_path: Path, copied: Recorded) -> None:
    one = copied("av1")
    other = write_legacy(tmp_path / "other", Legacy(robot_type=None, labels=True))
    info = read_info(other)
    info["features"]["observation.state"]["names"] = ["left", "right"]
    info["features"]["action"]["dtype"] = "float64"
    change_info(other, **info)
    merge(
        MergeConfig(
            sources=[SourceConfig(root=one, episodes=[0]), SourceConfig(root=other, episodes=[1])],
            new_root=tmp_path / "out",
            robot_type="so_follower",
            names="first",
            drop_features=["action"],
            mixed_codecs=True,
        )
    )
    wanted = [items_of(one, 0), legacy_items(other, Legacy(labels=True), 1)]
    assert_items(tmp_path / "out", wanted, dropped=["action"])
    assert read_info(tmp_path / "out")["features"]["observation.state"]["names"][0] == "shoulder.pos"


def test_one_rate_that_is_rounded_elsewhere_is_one_rate(tmp_path: Path) -> None:
    spellings = (30000 / 1001, 29.97002997)
    roots = [write_legacy(tmp_path / f"{n}", Legacy(fps=fps, seed=n)) for n, fps in enumerate(spellings)]
    report = merge(
        MergeConfig(sources=[SourceConfig(root=root) for root in roots], new_root=tmp_path / "out")
    )
    assert report.verification.ok
    assert report.frames == 30
    write_legacy(tmp_path / "other", Legacy(fps=29.97))
    sources = (SourceConfig(root=roots[0]), SourceConfig(root=tmp_path / "other"))
    assert [problem.code for problem in refused(tmp_path / "no", *sources)] == ["fps-mismatch"]


def test_labels_in_one_source_only(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1-other")),
        SourceConfig(root=recorded("unlabelled")),
        error=MergeError,
    )
    assert [problem.code for problem in problems] == ["feature-missing", "feature-missing"]
    assert all("--annotations" in problem.hint for problem in problems)


def test_an_existing_target_is_untouched(recorded: Recorded, tmp_path: Path) -> None:
    for name, make in (
        ("folder", lambda path: path.mkdir()),
        ("file", lambda path: path.write_text("mine")),
        ("link", lambda path: path.symlink_to("/nowhere")),
    ):
        target = tmp_path / name
        make(target)
        problems = refused(target, SourceConfig(root=recorded("av1")), error=UsageError)
        assert [problem.code for problem in problems] == ["target-exists"]
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "link").is_symlink()
    source = recorded("av1")
    before = tree(source)
    refused(source, SourceConfig(root=source), error=UsageError)
    assert tree(source) == before


def test_a_target_that_cannot_be_made(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(GraspError):
        merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "file/below/out"))
    assert (tmp_path / "file").read_text() == "x"


def test_a_target_inside_its_source(copied: Recorded) -> None:
    source = copied("av1")
    before = tree(source)
    with pytest.raises(UsageError):
        merge(MergeConfig(sources=[SourceConfig(root=source)], new_root=source / "data/out"))
    assert tree(source) == before


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"sources": []}, "no-sources"),
        ({"sources": [SourceConfig()]}, "no-dataset"),
        ({"sources": [SourceConfig(root=Path("/nowhere/at/all"))]}, "no-dataset"),
        ({"sources": [SourceConfig(repo_id="not a name!")]}, "bad-repo-id"),
        ({"sources": [SourceConfig(repo_id="../../etc")]}, "bad-repo-id"),
        ({"sources": [SourceConfig(repo_id="nobody/nothing")]}, "no-dataset"),
        ({"new_root": None}, "no-target"),
        ({"new_root": None, "new_repo_id": "../out"}, "bad-repo-id"),
        ({"drop_features": ["nothing"]}, "unknown-feature"),
        ({"drop_features": ["timestamp", "task_index"]}, "needed-feature"),
        ({"annotations": Path("/nowhere.txt")}, "unreadable-file"),
        ({"index_base": 2, "annotations": Path(__file__)}, "index-base-unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_calls_that_are_at_fault(
    options: dict, code: str, recorded: Recorded, tmp_path: Path, lerobot_home: Path
) -> None:
    call = {"sources": [SourceConfig(root=recorded("av1"))], "new_root": tmp_path / "out"} | options
    with pytest.raises(UsageError) as caught:
        merge(MergeConfig(**call))
    assert [problem.code for problem in caught.value.problems] == [code]
    assert list(tmp_path.iterdir()) == [lerobot_home]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"episodes": [5]}, "unknown-episode"),
        ({"episodes": []}, "empty-selection"),
        ({"episodes": "!0-4"}, "empty-selection"),
        ({"episodes": [1, 1]}, "listed-twice"),
        ({"rename": {"nothing": "x"}}, "unknown-feature"),
        ({"rename": {"index": "x"}}, "bad-rename"),
        ({"rename": {"action": "observation.state"}}, "bad-rename"),
        ({"rename": {"action": "a/b"}}, "bad-rename"),
        ({"rename": {"action": "timestamp"}}, "bad-rename"),
        ({"rename": {"action": "next.reward"}}, "bad-rename"),
        ({"task": " "}, "empty-task"),
    ],
)
def test_sources_that_are_at_fault(source: dict, code: str, recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(tmp_path / "out", SourceConfig(root=recorded("av1"), **source), error=UsageError)
    assert code in {problem.code for problem in problems}


def test_faults_of_all_sources_at_once(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1"), episodes=[9]),
        SourceConfig(root=tmp_path / "missing"),
        SourceConfig(root=recorded("av1-other"), rename={"x": "y"}),
        error=UsageError,
    )
    assert [problem.code for problem in problems] == ["unknown-episode", "no-dataset", "unknown-feature"]


def test_the_source_of_a_wrong_selection_is_named(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1"), episodes="3-99"),
        SourceConfig(root=recorded("av1-other"), episodes="20"),
    )
    assert [str(problem.place) for problem in problems] == [
        "episodes of av1:1:1",
        "episodes of av1-other:1:1",
    ]


def test_drop_features_are_output_names(recorded: Recorded, tmp_path: Path) -> None:
    wrist, front = "observation.images.wrist", "observation.images.front"
    swapped = SourceConfig(root=recorded("split"), rename={wrist: front, front: wrist})
    merge(MergeConfig(sources=[swapped], drop_features=[front], new_root=tmp_path / "out"))
    info = read_info(tmp_path / "out")
    assert [key for key in info["features"] if "images" in key] == [wrist]
    clash = SourceConfig(root=recorded("split"), rename={front: wrist})
    [problem] = refused(tmp_path / "no", clash, error=UsageError, drop_features=[wrist])
    assert problem.code == "bad-rename"
    both = refused(
        tmp_path / "no", SourceConfig(root=recorded("av1")), drop_features=["task_index", "nothing"]
    )
    assert [problem.code for problem in both] == ["needed-feature", "unknown-feature"]


def test_an_interrupt_leaves_nothing(recorded: Recorded, tmp_path: Path) -> None:
    def interrupt(step: str, done: int, total: int) -> None:
        if step == "writing videos":
            assert list(leftovers(tmp_path))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "out"), interrupt)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_another_run_are_named_and_kept(recorded: Recorded, tmp_path: Path) -> None:
    left = tmp_path / ".out.grasp-staging-deadbeef"
    left.mkdir()
    (left / "file").write_text("x")
    report = merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=tmp_path / "out"))
    assert [problem.code for problem in report.warnings] == ["interrupted-run"]
    assert (left / "file").read_text() == "x"


def test_a_target_that_appears_meanwhile_is_untouched(recorded: Recorded, tmp_path: Path) -> None:
    target = tmp_path / "out"

    def rival(step: str, done: int, total: int) -> None:
        if step == "writing videos" and not target.exists():
            target.mkdir()
            (target / "mine").write_text("x")

    with pytest.raises(UsageError, match="target-exists"):
        merge(MergeConfig(sources=[SourceConfig(root=recorded("av1"))], new_root=target), rival)
    assert tree(target) == tree(target)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (target / "mine").read_text() == "x"


def test_choices_that_are_none_are_refused_at_once(recorded: Recorded, tmp_path: Path) -> None:
    problems = refused(
        tmp_path / "out",
        SourceConfig(root=recorded("av1")),
        error=UsageError,
        timestamps="Keep",
        names="foo",
        link="foo",
        alignment="foo",
        done="foo",
        unlisted=None,
    )
    assert {problem.code for problem in problems} == {"unknown-choice"}
    said = {problem.message.split()[0] for problem in problems}
    assert said == {"timestamps", "names", "link", "alignment", "done", "unlisted"}


def test_paths_as_text_and_one_episode(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("1: 1\n")
    source = SourceConfig(root=str(recorded("av1")), episodes=1, annotations=str(tmp_path / "labels.txt"))
    report = merge(MergeConfig(sources=[source], new_root=str(tmp_path / "out")))
    assert (report.frames, report.success_frames) == (5, 1)

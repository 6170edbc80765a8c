"""Which dataset the header of a section means."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lerobot_grasp_plugin import (
    AnnotationError,
    GraspError,
    MergeConfig,
    MergeReport,
    RelabelConfig,
    SourceConfig,
    UsageError,
    merge,
    relabel,
)
from tests.support.factories import data_table, tree
from tests.support.lerobot_judge import open_set

type Recorded = Callable[[str], Path]

FIVE = "0: 1\n1: 1\n2: 1\n3: 1\n4: 1\n"
THREE = "0: 2\n1: 2\n2: 2\n"


@pytest.fixture
def home(recorded: Recorded, lerobot_home: Path) -> Path:
    """LeRobot's home folder with two datasets."""
    shutil.copytree(recorded("av1"), lerobot_home / "me/grasp")
    shutil.copytree(recorded("av1-other"), lerobot_home / "me/other")
    return lerobot_home


def by_headers(tmp_path: Path, text: str, **options: object) -> MergeReport:
    labels = tmp_path / "labels.txt"
    labels.write_text(text)
    config = {"new_root": tmp_path / "out", "robot_type": "x"} | options
    return merge(MergeConfig(annotations=labels, **config))


@pytest.mark.parametrize(
    "header",
    [
        "# dataset path: me/grasp",
        "# me/grasp",
        "# dataset path: {home}/me/grasp",
        "# dataset path: {home}/me/grasp/",
        "# dataset path: ~/lerobot-home/me/grasp",
        "# dataset path: /somewhere/else/.cache/lerobot/me/grasp",
        "# dataset path: lerobot-home/me/grasp",
    ],
)
def test_a_header_is_enough(header: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    report = by_headers(tmp_path, header.format(home=home) + "\n" + FIVE)
    assert [(source.repo_id, source.success_frames) for source in report.sources] == [("me/grasp", 5)]


def test_sources_in_the_order_of_headers(home: Path, tmp_path: Path) -> None:
    report = by_headers(tmp_path, f"# me/other\n{THREE}# me/grasp\n{FIVE}")
    assert [source.repo_id for source in report.sources] == ["me/other", "me/grasp"]
    assert [source.success_frames for source in report.sources] == [3, 5]
    rewards = data_table(tmp_path / "out")["next.reward"].to_pylist()
    assert [index for index, reward in enumerate(rewards) if reward] == [1, 7, 11, 15, 22, 27, 36, 42]
    assert len(open_set(tmp_path / "out")) == 50


def test_two_headers_of_one_dataset(home: Path, tmp_path: Path) -> None:
    text = f"# me/grasp\n0: 1\n1: 1\n# {home}/me/grasp\n2: 1\n3: 1\n4: 1\n"
    report = by_headers(tmp_path, text)
    assert [source.success_frames for source in report.sources] == [5]


def test_one_episode_in_two_sections(home: Path, tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="episode-listed-twice"):
        by_headers(tmp_path, f"# me/grasp\n{FIVE}# {home}/me/grasp\n4: 2\n")


def test_headers_that_name_nothing_are_all_reported(home: Path, tmp_path: Path) -> None:
    with pytest.raises(AnnotationError) as caught:
        by_headers(tmp_path, f"0: 1\n# me/nothing\n{FIVE}# me/grasp\n{FIVE}# nobody/else\n0: 1\n")
    assert [problem.code for problem in caught.value.problems] == [
        "no-header",
        "unknown-dataset",
        "unknown-dataset",
    ]
    assert not (tmp_path / "out").exists()


def test_a_bare_name_is_a_source(recorded: Recorded, tmp_path: Path, lerobot_home: Path) -> None:
    sources = [
        SourceConfig(root=recorded("av1-other")),
        SourceConfig(root=recorded("av1"), repo_id="me/grasp"),
    ]
    report = by_headers(tmp_path, f"# dataset path: grasp\n{FIVE}# av1-other\n{THREE}", sources=sources)
    assert [source.success_frames for source in report.sources] == [3, 5]


def test_a_bare_name_that_fits_two(recorded: Recorded, tmp_path: Path, lerobot_home: Path) -> None:
    roots = []
    for folder in ("x", "y"):
        roots.append(Path(shutil.copytree(recorded("av1"), tmp_path / folder / "set")))
    sources = [SourceConfig(root=root) for root in roots]
    with pytest.raises(AnnotationError) as caught:
        by_headers(tmp_path, f"# dataset path: set\n{FIVE}", sources=sources)
    problem = next(problem for problem in caught.value.problems if problem.code == "ambiguous-header")
    assert all(str(root) in problem.message for root in roots)
    report = by_headers(
        tmp_path, f"# x/set\n{FIVE}# {roots[1]}\n0: all success\n" + FIVE[5:], sources=sources
    )
    assert [source.success_frames for source in report.sources] == [5, 11]


def test_a_repo_id_that_fits_two(recorded: Recorded, tmp_path: Path, lerobot_home: Path) -> None:
    sources = [SourceConfig(root=recorded(name), repo_id="me/grasp") for name in ("av1", "av1-other")]
    with pytest.raises(AnnotationError, match="ambiguous-header"):
        by_headers(tmp_path, f"# me/grasp\n{FIVE}", sources=sources)


def test_a_path_beside_a_source_of_that_name(home: Path, recorded: Recorded, tmp_path: Path) -> None:
    """The header is a dataset in the home folder, the source another one of the same name."""
    elsewhere = Path(shutil.copytree(recorded("av1"), tmp_path / "elsewhere/grasp"))
    with pytest.raises(AnnotationError, match="ambiguous-header"):
        by_headers(tmp_path, f"# me/grasp\n{FIVE}", sources=[SourceConfig(root=elsewhere)])


def test_sections_without_header(recorded: Recorded, tmp_path: Path, lerobot_home: Path) -> None:
    one, other = SourceConfig(root=recorded("av1")), SourceConfig(root=recorded("av1-other"))
    with pytest.raises(AnnotationError, match="no-header"):
        by_headers(tmp_path, FIVE, sources=[one, other])
    with pytest.raises(AnnotationError, match="no-header"):
        by_headers(tmp_path, FIVE)
    report = by_headers(tmp_path, FIVE, sources=[one])
    assert report.success_frames == 5


def test_a_section_of_another_dataset_is_left_alone(recorded: Recorded, tmp_path: Path, home: Path) -> None:
    """A file about several datasets labels one of them."""
    labels = tmp_path / "labels.txt"
    labels.write_text(f"# me/other\n{THREE}# me/grasp\n{FIVE}")
    report = relabel(RelabelConfig(repo_id="me/grasp", annotations=labels, new_root=tmp_path / "out"))
    assert report.success_frames == 5


def test_the_source_that_a_header_nearly_names(recorded: Recorded, tmp_path: Path, home: Path) -> None:
    labels = tmp_path / "labels.txt"
    config = RelabelConfig(repo_id="me/grasp", annotations=labels, new_root=tmp_path / "out")
    labels.write_text("# me/grasps\n0: 3-\n")
    with pytest.raises(AnnotationError) as caught:
        relabel(config)
    (problem,) = [problem for problem in caught.value.problems if problem.code == "header-doubtful"]
    assert problem.hint.startswith("did you mean `# dataset path: grasp`?")
    labels.write_text(f"# me/grasp\n{FIVE}# dataset path: me/grasps\n0: 3-\n")
    (warning,) = [problem for problem in relabel(config).warnings if problem.code == "unused-section"]
    assert warning.hint == "did you mean `# dataset path: grasp`?"


def test_lines_that_cannot_be_read_are_not_called_missing(
    recorded: Recorded, tmp_path: Path, home: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("episode 0: 3-\n")
    with pytest.raises(AnnotationError) as caught:
        relabel(RelabelConfig(repo_id="me/grasp", annotations=labels, new_root=tmp_path / "out"))
    assert [problem.code for problem in caught.value.problems] == ["unknown-token"]


def test_no_section_for_the_source(recorded: Recorded, tmp_path: Path, home: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(f"# me/other\n{THREE}")
    config = RelabelConfig(repo_id="me/grasp", annotations=labels, new_root=tmp_path / "out")
    with pytest.raises(AnnotationError) as caught:
        relabel(config)
    assert [problem.code for problem in caught.value.problems] == ["no-section"]
    assert "sections found: me/other (line 1, 3 episodes); expected a header" in caught.value.problems[0].hint
    assert "was made from" not in caught.value.problems[0].hint
    config.unlisted = "fail"  # which speaks of episodes, not of a file that fits nothing
    with pytest.raises(AnnotationError, match="no-section"):
        relabel(config)
    both = [SourceConfig(repo_id="me/grasp"), SourceConfig(repo_id="me/grasp", root=recorded("h264"))]
    labels.write_text(f"# {home / 'me/grasp'}\n{FIVE}")
    report = merge(
        MergeConfig(
            sources=both,
            annotations=labels,
            unlisted="fail",
            new_root=tmp_path / "out",
            mixed_codecs=True,
        )
    )
    assert [problem.code for problem in report.warnings] == ["no-section", "outcome-differs"]
    assert report.sources[1].success_frames == 0


def test_no_section_for_a_merged_dataset(tmp_path: Path, home: Path) -> None:
    """The file that labelled the sources does not label what became of them, and says whose it is."""
    labels = tmp_path / "labels.txt"
    labels.write_text(f"# me/grasp\n{FIVE}# me/other\n{THREE}")
    merge(MergeConfig(annotations=labels, robot_type="so_follower", new_root=tmp_path / "both"))
    with pytest.raises(AnnotationError) as caught:
        relabel(RelabelConfig(root=tmp_path / "both", annotations=labels, new_root=tmp_path / "out"))
    assert "; both was made from me/grasp and me/other: " in caught.value.problems[0].hint


def test_the_output_goes_to_the_home_folder(home: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(FIVE)
    report = relabel(RelabelConfig(repo_id="me/grasp", annotations=labels, new_repo_id="me/grasp_labelled"))
    assert report.root == home / "me/grasp_labelled"
    assert len(open_set(report.root)) == 35
    with pytest.raises(UsageError, match="target-exists"):
        relabel(RelabelConfig(repo_id="me/grasp", annotations=labels, new_repo_id="me/grasp"))


def codes_of(report: MergeReport) -> list[str]:
    """What is odd about the file; not that its labels differ from those recorded."""
    return [problem.code for problem in report.warnings if problem.code != "outcome-differs"]


REMARKS = ["# 1-indexed", "# re-check", "# left_arm", "# day2", "# good", "# 12/11"]


@pytest.mark.parametrize("remark", REMARKS)
def test_a_word_that_names_no_dataset_is_a_remark(
    remark: str, recorded: Recorded, tmp_path: Path, home: Path
) -> None:
    """Also where the sources come from the headers, and where there is no header."""
    text = f"# me/grasp\n0: 1\n{remark}\n" + FIVE[5:]
    report = by_headers(tmp_path, text)
    assert [source.success_frames for source in report.sources] == [5]
    assert codes_of(report) == []
    labels = tmp_path / "alone.txt"
    labels.write_text(f"0: 1\n{remark}\n" + FIVE[5:])
    alone = relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "alone"))
    assert (alone.success_frames, codes_of(alone)) == (5, [])


@pytest.mark.parametrize("word", ["grasp", "av1-other", "https://huggingface.co/datasets/me/grasp"])
def test_a_word_that_names_a_source_is_a_header(word: str, recorded: Recorded, tmp_path: Path) -> None:
    sources = [
        SourceConfig(root=recorded("av1"), repo_id="me/grasp"),
        SourceConfig(root=recorded("av1-other")),
    ]
    texts = {"grasp": FIVE, "av1-other": THREE}
    mine = texts[word.rpartition("/")[2]]
    other = next(text for text in texts.values() if text != mine)
    first = "./av1-other" if other == THREE else "me/grasp"
    report = by_headers(tmp_path, f"# dataset: {first}\n{other}# {word}\n{mine}", sources=sources)
    assert [source.success_frames for source in report.sources] == [5, 3]


@pytest.mark.parametrize("header", ["# left/right", "# day/night/dusk", "# ./run the script", "# /x and y"])
def test_a_doubtful_header_is_settled_before_labels_go_nowhere(
    header: str, recorded: Recorded, tmp_path: Path, lerobot_home: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(f"0: 3-\n{header}\n2: 1\n3: 1\n")
    config = RelabelConfig(
        root=recorded("av1"), annotations=labels, new_root=tmp_path / "out", unlisted="fail"
    )
    with pytest.raises(AnnotationError) as caught:
        relabel(config)
    [problem] = caught.value.problems
    assert (problem.code, str(problem.place)) == ("header-doubtful", f"{labels}:2")
    assert f"`# dataset path: {header[2:]}`" in problem.hint
    assert not (tmp_path / "out").exists()
    labels.write_text(f"{header}\n# dataset path: av1\n{FIVE}")  # no label follows it: it does not matter
    report = relabel(config)
    assert report.success_frames == 5
    assert codes_of(report) == ["empty-section"]


@pytest.mark.parametrize(
    ("header", "codes"),
    [("other/grasp", ["other-owner"]), ("me/grasp", []), ("grasp", []), ("/data/other/grasp", [])],
)
def test_a_header_of_another_owner_is_named(
    header: str, codes: list[str], recorded: Recorded, tmp_path: Path, lerobot_home: Path
) -> None:
    sources = [SourceConfig(root=recorded("av1"), repo_id="me/grasp")]
    report = by_headers(tmp_path, f"# dataset path: {header}\n{FIVE}", sources=sources)
    assert codes_of(report) == codes


def test_headers_of_csv_name_the_sources(home: Path, tmp_path: Path) -> None:
    rows = [f"me/grasp,{episode},1,1" for episode in range(5)] + [f"me/other,{e},2,2" for e in range(3)]
    text = "# index_base: 1\ndataset,episode,start,end\n" + "\n".join(rows)
    report = by_headers(tmp_path, text)
    assert [(source.repo_id, source.success_frames) for source in report.sources] == [
        ("me/grasp", 5),
        ("me/other", 3),
    ]
    with_text = by_headers(tmp_path, f"# me/grasp\n{FIVE}# me/other\n{THREE}", new_root=tmp_path / "text")
    assert data_table(tmp_path / "out").equals(data_table(tmp_path / "text"))
    assert with_text.frames == report.frames


def test_frames_of_csv_are_those_of_the_episodes(home: Path, tmp_path: Path) -> None:
    rows = data_table(home / "me/grasp").select(["episode_index", "frame_index"]).to_pylist()
    lines = [f"{row['episode_index']};{row['frame_index']};{int(row['frame_index'] > 2)}" for row in rows]
    text = "# me/grasp\n# index_base: 0\nepisode_index;frame_index;reward\n" + "\n".join(lines)
    by_headers(tmp_path, text)
    table = data_table(tmp_path / "out")
    wanted = [float(row["frame_index"] > 2) for row in rows]
    assert table["next.reward"].to_pylist() == wanted
    with pytest.raises(AnnotationError, match="frames-missing"):
        by_headers(tmp_path, text.rpartition("\n")[0], new_root=tmp_path / "short")


def test_bytes_that_are_no_text(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    for content in (b"\xff\xfe\x00", b"", b"\x00" * 100, b"{", b"[]", b"# \xc3\x28\n0: 1\n"):
        labels.write_bytes(content)
        with pytest.raises(GraspError) as caught:
            relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out"))
        assert any(str(labels) in str(problem.place) for problem in caught.value.problems)
    assert tree(tmp_path) == tree(tmp_path)
    assert not (tmp_path / "out").exists()


LISTED = "# dataset path: {first}\n" + FIVE + "\n# lab/elsewhere\n0: 1\n"


def test_a_section_that_begins_anew_is_of_another_dataset(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(LISTED.format(first="av1"))
    config = RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out")
    (warning,) = [problem for problem in relabel(config).warnings if problem.code == "unused-section"]
    assert "'lab/elsewhere' matches no source" in warning.message
    assert warning.message.endswith("its labels (1 episode) are not used")
    assert str(warning.place) == f"{labels}:8"


def test_a_section_that_could_go_on_with_the_one_before_is_doubtful(
    recorded: Recorded, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# dataset path: av1\n0: 1\n# left/right\n1: 1\n2: 1\n3: 1\n4: 1\n")
    with pytest.raises(AnnotationError) as caught:
        relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out"))
    assert "header-doubtful" in [problem.code for problem in caught.value.problems]


def test_errors_of_lines_and_of_labels_come_together(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    config = RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out")

    def codes(text: str) -> list[str]:
        labels.write_text(text)
        with pytest.raises(GraspError) as caught:
            relabel(config)
        return [problem.code for problem in caught.value.problems]

    in_a_range = ["overlapping-ranges", "range-past-end", "unlisted-episode"]
    assert codes("0: 1-3,2-4\n1: 900-\n2: 1\n3: 1\n") == in_a_range
    assert codes("0: 1-3,2-4\n9: 1\n1: 1\n2: 1\n3: 1\n4: 1\n") == ["overlapping-ranges", "unknown-episode"]
    assert codes("0 1-3\n1: 900-\n") == ["missing-colon", "range-past-end"]  # whose line 1 is, is not known
    assert codes("# datset: x\n0: 900-\n") == ["header-doubtful"]  # nor whose episodes these are


def test_an_empty_file_is_not_needed_with_a_column(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# nothing yet\n")
    config = {"root": recorded("av1"), "annotations": labels, "new_root": tmp_path / "out"}
    with pytest.raises(AnnotationError) as caught:
        relabel(RelabelConfig(**config, labels_from="next.reward"))
    (problem,) = caught.value.problems
    assert problem.code == "no-episodes"
    assert problem.hint.startswith("omit --annotations: --labels_from next.reward labels every episode")
    with pytest.raises(AnnotationError) as caught:
        relabel(RelabelConfig(**config))
    assert "labels_from" not in caught.value.problems[0].hint

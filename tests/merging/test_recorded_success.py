"""Labels that a dataset recorded: taken over, combined with annotations, and never overwritten in silence."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lerobot_grasp_plugin import (
    GraspError,
    MergeConfig,
    RelabelConfig,
    SourceConfig,
    merge,
    open_dataset,
    relabel,
)
from lerobot_grasp_plugin.commands.relabel import main
from lerobot_grasp_plugin.dataset.recorded_success import success_by_episode
from tests.support.factories import RECORDINGS, Legacy, change_info, data_table, read_info, write_legacy
from tests.support.lerobot_judge import open_set
from tests.support.verifying import DATA, change_column, change_table, findings

type Recorded = Callable[[str], Path]

LENGTHS = RECORDINGS["av1"].lengths
TABLE = "data/chunk-000/episode_000000.parquet"
STAMPED = (0, 2, 4)
"""Episodes whose last frame is stamped."""


def add_column(root: Path, name: str, values: Sequence[Any], dtype: str = "bool") -> Path:
    """Adds a column of one value a row to a recorded dataset."""

    def change(table: pa.Table) -> pa.Table:
        kinds = {"bool": pa.bool_(), "float32": pa.float32(), "int64": pa.int64(), "string": pa.string()}
        return table.append_column(name, pa.array(values, kinds[dtype]))

    change_table(root, DATA, change)
    feature = {"dtype": dtype, "shape": [1], "names": None}
    change_info(root, features={**read_info(root)["features"], name: feature})
    return root


def drop_column(root: Path, name: str) -> Path:
    change_table(root, DATA, lambda table: table.drop_columns([name]))
    change_info(root, features={k: v for k, v in read_info(root)["features"].items() if k != name})
    return root


def stamps(episodes: Sequence[int] = STAMPED) -> list[bool]:
    return [frame == n - 1 and e in episodes for e, n in enumerate(LENGTHS) for frame in range(n)]


@pytest.fixture
def stamped(copied: Recorded) -> Path:
    """A rollout: next.success on the last frame of some episodes, and no next.reward."""
    return drop_column(add_column(copied("av1"), "next.success", stamps()), "next.reward")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    path = tmp_path / "few.txt"
    path.write_text("0: 3-\n1: all fail\n")
    return path


def success_of(root: Path, value: float = 1) -> list[list[int]]:
    """Success frames of each episode, straight from the rows."""
    table, found = data_table(root), []
    for episode in sorted(set(table["episode_index"].to_pylist())):
        rows = [
            r
            for r, e in zip(*(table[c].to_pylist() for c in ("next.reward", "episode_index")), strict=True)
            if e == episode
        ]
        found.append([frame for frame, reward in enumerate(rows) if reward == np.float32(value)])
    return found


def last(episode: int) -> list[int]:
    return [LENGTHS[episode] - 1]


def outcome_warnings(report: Any) -> list[str]:
    return [problem.message for problem in report.warnings if problem.code == "outcome-differs"]


# -- merged as they are -------------------------------------------------------------------------------


def with_rewards(root: Path, rewards: Sequence[float]) -> Path:
    """Two episodes without images; their rewards alternate between these."""
    write_legacy(root, Legacy(lengths=(4, 3), cameras=(), labels=True, seed=len(root.name)))
    for path in sorted((root / "data").rglob("*.parquet")):
        name = path.relative_to(root).as_posix()
        change_column(
            root, name, "next.reward", lambda old: [rewards[n % len(rewards)] for n in range(len(old))]
        )
    return root


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((0.0,), (0.0, -1.0), "a: 7 success frames, 0 by its own rewards"),
        ((0.0,), (-1.0,), "a: 7 success frames, 0 by its own rewards"),
        (
            (1.0,),
            (0.0, -1.0),
            "a: 0 success frames, 7 by its own rewards; other: 0 success frames, 4 by its own",
        ),
        ((-1.0,), (1.0, 0.0), "other: 0 success frames, 4 by its own rewards"),
        ((0.5, 0.25, 0.125), (1.0, 0.0), "other: 0 success frames, 4 by its own rewards"),
        ((0.0,), (1.0,), None),
        ((0.0,), (1.0, 0.0), None),
        ((-1.0,), (0.0, -1.0), None),
        ((1.0, 0.0), (1.0, 0.0), None),
    ],
)
def test_rewards_that_mean_another_thing_together_are_named(
    one: Sequence[float], other: Sequence[float], said: str | None, tmp_path: Path
) -> None:
    """A reward of 0 is failure where it is the only one, and success next to -1."""
    roots = [with_rewards(tmp_path / "a", one), with_rewards(tmp_path / "other", other)]
    sources = [SourceConfig(root=root) for root in roots]
    report = merge(MergeConfig(sources=sources, new_root=tmp_path / "out"))
    warnings = [problem.message for problem in report.warnings if problem.code == "success-value-differs"]
    assert len(warnings) == (said is not None)
    assert said is None or said in warnings[0]


def test_which_reward_is_success_is_known_of_success_alone(tmp_path: Path) -> None:
    """Of sources with one pair of rewards, by a sidecar or by their rows, in which no failure is chosen."""
    labels, root = tmp_path / "labels.txt", with_rewards(tmp_path / "a", (0.0, -1.0))
    labels.write_text("0: all success\n1: 1\n")
    options = {"annotations": labels, "success_value": 0.0, "failure_value": -1.0}
    for done in ("episode_end", "first_success"):
        relabel(RelabelConfig(root=root, new_root=tmp_path / done, done=done, **options))
    change_column(root, TABLE, "next.reward", lambda old: [0.0] * len(old))
    for names in (("episode_end", "first_success"), ("a", "episode_end")):
        sources = [SourceConfig(root=tmp_path / name, episodes=[0]) for name in names]
        out = tmp_path / "-".join(names)
        report = merge(MergeConfig(sources=sources, new_root=out))
        assert report.success_frames == 8
        assert "success-value-differs" not in {problem.code for problem in report.warnings}
        success = success_by_episode(open_dataset(None, out), [0, 1])
        assert [(episode, rows.tolist()) for episode, rows in success] == [(0, [True] * 4), (1, [True] * 4)]


def test_rewards_of_several_meanings_are_labels_of_one(tmp_path: Path) -> None:
    """What the warning names: each source is read by its own rewards, and the output has one pair."""
    roots = [with_rewards(tmp_path / "a", [1.0]), with_rewards(tmp_path / "other", [0.0, -1.0])]
    sources = [SourceConfig(root=root) for root in roots]
    report = merge(MergeConfig(sources=sources, new_root=tmp_path / "out", labels_from="next.reward"))
    assert [source.success_frames for source in report.sources] == [7, 4]
    assert "success-value-differs" not in {problem.code for problem in report.warnings}
    assert success_of(tmp_path / "out") == [[0, 1, 2, 3], [0, 1, 2], [0, 2], [0, 2]]


# -- taken over ---------------------------------------------------------------------------------------


def test_labels_from_next_success_alone(stamped: Path, tmp_path: Path) -> None:
    report = relabel(RelabelConfig(root=stamped, new_root=tmp_path / "out", labels_from="next.success"))
    assert success_of(tmp_path / "out") == [last(0), [], last(2), [], last(4)]
    assert {problem.code for problem in report.warnings} <= {"metadata-left-out"}  # of the dropped column
    assert any("is set on the last frame of episodes 0, 2, 4" in note for note in report.sources[0].notes)
    dataset = open_set(tmp_path / "out")
    assert dataset[LENGTHS[0] - 1]["next.reward"] == 1
    sidecar = json.loads((tmp_path / "out/meta/grasp_provenance.json").read_text())
    assert sidecar["sources"][0]["labels_from"] == {"column": "next.success", "threshold": None}


@pytest.mark.parametrize("options", [{"labels_from": "next.success"}, {"unlisted": "keep"}])
@pytest.mark.parametrize("alignment", ["frame", "next"])
def test_an_annotation_file_extends_the_stamps(
    options: dict[str, str], alignment: str, stamped: Path, few: Path, tmp_path: Path
) -> None:
    """Episode 0 is the file's; the others have what their stamps say, row for row."""
    config = RelabelConfig(
        root=stamped, annotations=few, new_root=tmp_path / "out", alignment=alignment, **options
    )
    relabel(config)
    first = [2, 3, 4, 5, 6] if alignment == "frame" else [1, 2, 3, 4, 5, 6]
    assert success_of(tmp_path / "out") == [first, [], last(2), [], last(4)]


def test_the_values_of_the_call_are_written(stamped: Path, tmp_path: Path) -> None:
    config = RelabelConfig(
        root=stamped, new_root=tmp_path / "out", labels_from="next.success", success_value=0, failure_value=-1
    )
    relabel(config)
    assert success_of(tmp_path / "out", 0) == [last(0), [], last(2), [], last(4)]


def test_keep_takes_success_from_flags_where_nobody_labelled_the_rewards(
    copied: Recorded, few: Path, tmp_path: Path
) -> None:
    root = add_column(copied("av1"), "next.success", stamps())
    change_column(root, DATA, "next.reward", lambda values: [0.0] * len(values))
    relabel(RelabelConfig(root=root, annotations=few, new_root=tmp_path / "out", unlisted="keep"))
    assert success_of(tmp_path / "out")[2:] == [last(2), [], last(4)]


@pytest.mark.parametrize(
    ("values", "dtype", "threshold", "wanted"),
    [
        ([0.9, 0.2, 0.5], "float32", 0.5, [True, False, False]),
        ([0.9, 0.2, 0.5], "float32", 0.1, [True, True, True]),
        ([1, 0, 0], "int64", None, [True, False, False]),
        ([0, -1, -1], "float32", None, [True, False, False]),
        ([3, 1, 2], "int64", 1, [True, False, True]),
        ([True, False, False], "bool", None, [True, False, False]),
    ],
)
def test_labels_from_any_column(
    values: list[Any],
    dtype: str,
    threshold: float | None,
    wanted: list[bool],
    copied: Recorded,
    tmp_path: Path,
) -> None:
    root = add_column(copied("av1"), "judged", (values * 12)[: sum(LENGTHS)], dtype)
    config = RelabelConfig(
        root=root, new_root=tmp_path / "out", labels_from="judged", labels_threshold=threshold
    )
    relabel(config)
    rewards = data_table(tmp_path / "out")["next.reward"].to_pylist()
    assert rewards == [float(x) for x in (wanted * 12)[: sum(LENGTHS)]]


def test_each_source_has_its_own_column(stamped: Path, recorded: Recorded, tmp_path: Path) -> None:
    """One source by its flags, one by its rewards, which are -1 and 0, one by annotations."""
    other = tmp_path / "other"
    write_legacy(other, Legacy(labels=True, cameras=(), robot_type="so_follower"))
    few = tmp_path / "few.txt"
    few.write_text(f"# {stamped}\n1: 2\n")
    sources = [
        SourceConfig(root=stamped, episodes=[1, 2], annotations=few, labels_from="next.success"),
        SourceConfig(root=recorded("av1"), episodes=[0], labels_from="next.reward"),
    ]
    report = merge(MergeConfig(sources=sources, new_root=tmp_path / "out"))
    assert success_of(tmp_path / "out") == [[1], last(2), [5, 6]]
    assert [source.success_frames for source in report.sources] == [2, 2]


def test_a_recipe_file_names_the_column(
    stamped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"root: {stamped}\nnew_root: {tmp_path / 'out'}\nlabels_from: next.success\n")
    assert main(["--config_path", str(recipe)]) == 0
    assert "labels of episodes 0-4 are taken from next.success" in capsys.readouterr().out


# -- refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"labels_from": "next.succes"}, "unknown-feature"),
        ({"labels_from": "action"}, "bad-label-column"),
        ({"labels_from": "frame_index"}, "bad-label-column"),
        ({"labels_from": "judged"}, "no-labels-threshold"),
        ({"labels_from": "next.success", "unlisted": "fail"}, "contradicting-options"),
        ({"labels_from": "next.success", "unlisted": "drop"}, "contradicting-options"),
        ({"labels_from": "judged", "labels_threshold": float("nan")}, "bad-labels-threshold"),
        ({}, "no-annotations"),
    ],
)
def test_calls_that_are_wrong(options: dict[str, Any], code: str, stamped: Path, tmp_path: Path) -> None:
    values = [(n % 5) / 5 for n in range(sum(LENGTHS))]
    add_column(stamped, "judged", values, "float32")
    with pytest.raises(GraspError) as caught:
        relabel(RelabelConfig(root=stamped, new_root=tmp_path / "out", **options))
    assert code in {problem.code for problem in caught.value.problems}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("of_source", [False, True])
def test_a_column_that_is_not_there_is_named_where_all_is_annotated(
    of_source: bool, stamped: Path, tmp_path: Path
) -> None:
    """A misspelt option is an error, also where it has no effect."""
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: all fail\n" for episode in range(len(LENGTHS))))
    name = "next.succes"
    source = SourceConfig(root=stamped, labels_from=name if of_source else None)
    config = MergeConfig(sources=[source], annotations=labels, new_root=tmp_path / "out")
    config.labels_from = None if of_source else name
    with pytest.raises(GraspError, match=r"has no column 'next\.succes'"):
        merge(config)
    config.labels_from, source.labels_from = "next.success", None
    assert merge(config).success_frames == 0


def test_a_threshold_goes_with_a_column(stamped: Path, few: Path, tmp_path: Path) -> None:
    config = RelabelConfig(root=stamped, annotations=few, new_root=tmp_path / "out", labels_threshold=0.5)
    with pytest.raises(GraspError, match="bad-labels-threshold"):
        relabel(config)


def test_what_is_not_annotated_points_to_the_column(stamped: Path, few: Path, tmp_path: Path) -> None:
    with pytest.raises(GraspError) as caught:
        relabel(RelabelConfig(root=stamped, annotations=few, new_root=tmp_path / "out"))
    [problem] = caught.value.problems
    assert problem.hint.endswith("--labels_from next.success")


# -- contradictions -----------------------------------------------------------------------------------


def test_recorded_success_is_not_overwritten_in_silence(stamped: Path, few: Path, tmp_path: Path) -> None:
    report = relabel(RelabelConfig(root=stamped, annotations=few, new_root=tmp_path / "out", unlisted="fail"))
    [message] = outcome_warnings(report)
    assert message == (
        "av1: next.success records success in 2 frames of episodes 2, 4, which are written as all failure"
    )


def test_annotations_against_rewards(recorded: Recorded, tmp_path: Path) -> None:
    """av1 has rewards in episodes 0, 1, 2 and 4."""
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 3-\n1: all fail\n2: 1\n3: 4-\n4: all fail\n")
    report = relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out"))
    lost, won = outcome_warnings(report)
    assert "next.reward records success in 2 frames of episodes 1, 4," in lost
    assert "next.reward records no success in episode 3, which is annotated as success" in won


@pytest.mark.parametrize("values", [(0.0, 0.0), (1.0, 1.0), None])
def test_rewards_that_say_nothing_contradict_nothing(
    values: tuple[float, float] | None, copied: Recorded, tmp_path: Path
) -> None:
    root = copied("av1")
    dense = [n / 7 for n in range(sum(LENGTHS))]
    change_column(root, DATA, "next.reward", lambda v: dense if values is None else [values[0]] * len(v))
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 3-\n1: all fail\n2: 1\n3: 4-\n4: all fail\n")
    report = relabel(RelabelConfig(root=root, annotations=labels, new_root=tmp_path / "out"))
    assert report.warnings == ()


def test_verify_names_columns_that_contradict_each_other(copied: Recorded) -> None:
    root = add_column(copied("av1"), "next.success", stamps((0, 3)))
    [problem] = [p for p in findings(root) if p.code == "success-differs"]
    assert problem.severity == "warning"
    assert "in episodes 1-4 one has success, the other only failure" in problem.message


def test_verify_takes_a_stamp_for_the_same_outcome(copied: Recorded) -> None:
    root = add_column(copied("av1"), "next.success", stamps((0, 1, 2, 4)))
    [problem] = [p for p in findings(root, notes=True) if p.code == "success-differs"]
    assert problem.severity == "note"
    assert "is set on the last frame only" in problem.message


# -- dense rewards ------------------------------------------------------------------------------------


def test_dense_rewards_are_not_counted(copied: Recorded, tmp_path: Path) -> None:
    root = copied("av1")
    change_column(root, DATA, "next.reward", lambda v: [n / 7 for n in range(len(v))])
    [problem] = [
        p for p in findings(root, notes=True) if p.code in ("dense-rewards", "class-balance", "no-success")
    ]
    assert problem.code == "dense-rewards"
    assert "the reward is dense, and no frame counts as success" in problem.message
    report = merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out"))
    assert report.success_frames is None
    codes = {problem.code for problem in report.warnings}
    assert codes - {"stale-label-statistics"} == {"dense-rewards"}


def test_dense_rewards_with_next_success(copied: Recorded, tmp_path: Path) -> None:
    root = add_column(copied("av1"), "next.success", stamps())
    change_column(root, DATA, "next.reward", lambda v: [n / 7 for n in range(len(v))])
    balance = next(p.message for p in findings(root, notes=True) if p.code == "class-balance")
    assert balance == "success in 3 of 35 frames (8.6 %), in 3 of 5 episodes, by next.success"
    report = merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out"))
    assert report.success_frames == 3


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_whole_numbers_are_labels(copied: Recorded, tmp_path: Path, threshold: float | None) -> None:
    root = add_column(copied("av1"), "grasped", [int(value) for value in stamps()], "int64")
    config = {"root": root, "new_root": tmp_path / "out", "labels_from": "grasped"}
    report = relabel(RelabelConfig(**config, labels_threshold=threshold))
    assert report.success_frames == len(STAMPED)


def test_whole_numbers_of_many_values_need_a_threshold(copied: Recorded, tmp_path: Path) -> None:
    root = add_column(copied("av1"), "grade", [number % 4 for number in range(sum(LENGTHS))], "int64")
    config = {"root": root, "new_root": tmp_path / "out", "labels_from": "grade"}
    with pytest.raises(GraspError, match="no-labels-threshold"):
        relabel(RelabelConfig(**config))
    assert relabel(RelabelConfig(**config, labels_threshold=2)).success_frames == sum(LENGTHS) // 4


def test_columns_that_number_rows_are_no_labels(copied: Recorded, tmp_path: Path) -> None:
    config = RelabelConfig(root=copied("av1"), new_root=tmp_path / "out", labels_from="task_index")
    with pytest.raises(GraspError) as caught:
        relabel(config)
    (problem,) = caught.value.problems
    assert problem.message.endswith("'task_index' of av1 is an index, not a label")
    assert "two values such as 1 and 0" in problem.hint
    assert "columns that can be labels: next.reward" in problem.hint


@pytest.mark.parametrize(
    ("column", "known", "shift"),
    [
        ("judged", None, 1),
        ("next.success", None, 0),
        ("next.success", "next", 0),
        ("next.success", "frame", 1),
    ],
)
def test_alignment_of_labels_from_a_column(
    column: str, known: str | None, shift: int, copied: Recorded, few: Path, tmp_path: Path
) -> None:
    """A column is about images, as annotations are; ``next.*`` is about rows, if the sidecar agrees."""
    rows = [frame in (2, 3) for n in LENGTHS for frame in range(n)]
    root = add_column(drop_column(copied("av1"), "next.reward"), column, rows)
    if known is not None:
        sidecar = {"format": 1, "labels": {"alignment": known, "success_value": 1.0, "failure_value": 0.0}}
        (root / "meta/grasp_provenance.json").write_text(json.dumps(sidecar))
    report = relabel(
        RelabelConfig(
            root=root, new_root=tmp_path / "out", annotations=few, labels_from=column, alignment="next"
        )
    )
    found = success_of(tmp_path / "out")
    assert found[0] == list(range(1, LENGTHS[0]))  # annotated: 3- is frame 2, its row is 1
    assert found[2] == [2 - shift, 3 - shift]
    assert "alignment-differs" not in {problem.code for problem in report.warnings}

"""``trim``: idle ends are measured, cut off and said; the rest is the recording, image for image."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge
from lerobot_grasp_plugin.editing.config import TrimConfig
from lerobot_grasp_plugin.findings.problem import DatasetError, UsageError
from tests.support import factories
from tests.support.edited import (
    codes,
    edited,
    items_with,
    origins,
    slow_recording,
    waiting,
    write_states,
)
from tests.support.factories import Legacy, change_info, data_table, read_info, tree, write_legacy
from tests.support.lerobot_judge import assert_items, items_of

type Recorded = Callable[[str], Path]

SPEC = Legacy(lengths=(45, 40, 38), labels=True)
BOOL = {"dtype": "bool", "shape": [1], "names": None}
WAITING = {0: waiting(45, 12, 14), 1: waiting(40, 6, 3), 2: np.zeros((38, 2))}


@pytest.fixture(scope="module")
def waits(once: Callable[..., Path]) -> Path:
    """12 idle frames before and 14 after in episode 0, 6 and 3 in episode 1, and no movement in episode 2."""

    def make(root: Path) -> None:
        slow_recording(root, SPEC)
        write_states(root, SPEC, WAITING)

    return once("waits", make)


def test_idle_ends_are_cut_off(waits: Path, tmp_path: Path) -> None:
    """At 10 fps. The recorded label, success in the last frame, gives way to the annotation file."""
    before = tree(waits)
    labels = tmp_path / "labels.txt"
    labels.write_text("0: 30\n1: all fail\n2: all fail\n")
    report = edited(waits, tmp_path / "out", TrimConfig(margin_s=0.2), annotations=labels)
    zero, one, two = (items_with(waits, SPEC, episode, WAITING[episode]) for episode in range(3))
    assert origins(tmp_path / "out") == [(0, 9, 25), (1, 3, 37), (2, None, 38)]
    wanted = [zero[9:34], one[3:], two]
    flags = [[frame == 20 for frame in range(25)], [False] * 37, [False] * 38]
    rows = [{"next.reward": [float(flag) for flag in own]} for own in flags]
    assert_items(tmp_path / "out", wanted, labels=rows)
    assert report.reports[0].verification.ok
    ((recipe, _),) = report.merges
    assert recipe.summary.startswith("23 idle frames of episodes 0-1 left out (threshold 0.02 ")
    assert recipe.details == [
        "episode 0: 9 idle frames at the start and 11 at the end of 45 are left out",
        "episode 1: 3 idle frames at the start and 0 at the end of 40 are left out",
    ]
    assert tree(waits) == before


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        (TrimConfig(), [(0, 9, 36), (1, 3, 37), (2, None, 38)]),
        (TrimConfig(margin_s=0), [(0, 11, 34), (1, 5, 35), (2, None, 38)]),
        (TrimConfig(min_idle_s=1.0), [(0, 9, 36), (1, None, 40), (2, None, 38)]),
        (TrimConfig(episode_indices=[1]), [(0, None, 45), (1, 3, 37), (2, None, 38)]),
        (TrimConfig(threshold=0.2), [(0, 15, 30), (1, 9, 31), (2, None, 38)]),
    ],
    ids=["default", "margin", "min_idle", "episodes", "threshold"],
)
def test_options_say_what_is_idle(
    waits: Path, tmp_path: Path, operation: TrimConfig, wanted: list[tuple[int, int | None, int]]
) -> None:
    """The recorded label, success in the last frame, keeps the idle end."""
    edited(waits, tmp_path / "out", operation)
    assert origins(tmp_path / "out") == wanted


def test_given_ranges_are_kept(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    edited(source, tmp_path / "out", TrimConfig(frames={2: "2-4, 6-", 0: "3-"}))
    items = [items_of(source, episode) for episode in range(5)]
    assert_items(tmp_path / "out", [items[0][2:], items[1], items[2][1:4], items[2][5:], *items[3:]])


def test_frames_are_counted_as_the_call_says(waits: Path, tmp_path: Path) -> None:
    for base, text in ((0, "9-"), (1, "10-")):
        report = edited(waits, tmp_path / "out", TrimConfig(), index_base=base, dry_run=True)
        ((_, merge),) = report.merges
        assert merge.sources[0].frames[0] == text


def test_ranges_that_do_not_fit_are_named(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        edited(recorded("av1"), tmp_path / "out", TrimConfig(frames={0: "3-9", 9: "1-", 1: "x"}))
    said = [(problem.code, str(problem)) for problem in caught.value.problems]
    assert sorted(code for code, _ in said) == ["range-past-end", "unknown-episode", "unknown-token"]
    assert all("frames of av1" in text for _, text in said)


def test_without_idle_ends_the_output_is_a_copy(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("unlabelled")
    report = edited(source, tmp_path / "out", TrimConfig())
    assert codes(report) == ["nothing-to-edit"]
    assert_items(tmp_path / "out", [items_of(source, episode) for episode in range(3)])


def test_a_dataset_without_state_and_action_is_named(recorded: Recorded, tmp_path: Path) -> None:
    rename = {"observation.state": "arm.pose", "action": "arm.goal"}
    source = SourceConfig(root=recorded("unlabelled"), rename=rename)
    merge(MergeConfig(sources=[source], new_root=tmp_path / "renamed"))
    with pytest.raises(UsageError) as caught:
        edited(tmp_path / "renamed", tmp_path / "out", TrimConfig())
    (problem,) = caught.value.problems
    assert problem.code == "no-motion"
    assert problem.message == (
        "renamed has neither 'observation.state' nor 'action', by which idle ends are found"
    )
    assert problem.hint.startswith("name what stays with operation.frames; features: arm.pose, arm.goal, ")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    source = write_legacy(tmp_path / "source", Legacy())
    (source / "data/chunk-000/episode_000001.parquet").unlink()
    with pytest.raises(DatasetError, match="missing-file"):
        edited(source, tmp_path / "out", TrimConfig())


def test_success_by_another_column_stays(waits: Path, tmp_path: Path) -> None:
    """``--labels_from`` labels the output, so that its success frames are those that stay."""
    root = Path(shutil.copytree(waits, tmp_path / "source"))
    change_info(root, features=read_info(root)["features"] | {"held": BOOL})
    for episode, length in enumerate(SPEC.lengths):
        path = root / factories.LEGACY_DATA.format(episode_chunk=0, episode_index=episode)
        table = pq.ParquetFile(path).read()
        held = [episode == 0 and frame in (7, 38) for frame in range(length)]
        pq.write_table(table.append_column("held", pa.array(held)), path)
    edited(root, tmp_path / "out", TrimConfig(margin_s=0), labels_from="held")
    assert origins(tmp_path / "out") == [(0, 7, 32), (1, 5, 35), (2, None, 38)]
    labels = data_table(tmp_path / "out")["next.reward"].to_pylist()
    assert [frame for frame, label in enumerate(labels) if label] == [0, 31]


def test_times_beyond_every_episode_cut_nothing(waits: Path, tmp_path: Path) -> None:
    for operation in (TrimConfig(min_idle_s=1e308), TrimConfig(margin_s=1e308)):
        report = edited(waits, tmp_path / "out", operation, dry_run=True)
        assert "nothing-to-edit" in codes(report)


def test_a_copy_with_fewer_features_is_a_change(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("unlabelled")
    report = edited(source, tmp_path / "out", TrimConfig(), drop_features=["action"])
    assert codes(report) == []

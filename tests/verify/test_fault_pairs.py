"""Two faults at once: each is named, unless one truly explains the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import verify_dataset
from tests.support.factories import Recording, record
from tests.verify.damage import CAMERA, LENGTHS, Target
from tests.verify.faults_of_wholes import only_metadata, resumed


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("pairs") / "set", Recording(LENGTHS))


@dataclass(frozen=True)
class Pair:
    """Two faults, and what verify is to say of both.

    Attributes:
        inject: Does the damage.
        named: Code and a word of the message of each finding that has to be there.
    """

    inject: Callable[[Target], object]
    named: tuple[tuple[str, str], ...]


def both_templates(target: Target) -> None:
    target.set_info(
        data_path="data/c{chunk_index}/f{file_index}.parquet",
        video_path="videos/{video_key}/c{chunk_index}/f{file_index}.mp4",
    )


def both_unknown_fields(target: Target) -> None:
    target.set_info(data_path="data/{x}.parquet", video_path="videos/{x}.mp4")


def type_and_width(target: Target) -> None:
    """One column's type says that it has another shape, another column's rows do."""

    def changed(table: pa.Table) -> pa.Table:
        fixed = pa.array(table["action"].to_pylist(), pa.list_(pa.float32(), 2))
        free = pa.array([[1.0, 2.0, 3.0]] * table.num_rows, pa.list_(pa.float32()))
        for name, values in (("action", fixed), ("observation.state", free)):
            table = table.set_column(table.column_names.index(name), name, values)
        return table

    target.change_tables(changed)
    target.set_feature("action", shape=[3], names=None)


def resumed_and_tasks(target: Target) -> None:
    resumed(target)
    target.set_info(total_episodes=3, total_tasks=4)


def metadata_and_tasks(target: Target) -> None:
    only_metadata(target)
    target.tasks.unlink()


def list_and_tasks(target: Target) -> None:
    content = target.episodes_file.read_bytes()
    target.episodes_file.write_bytes(content[:-40])
    target.set_info(total_tasks=4)


def resumed_and_episode_statistics(target: Target) -> None:
    resumed(target)
    target.set_info(total_episodes=3)
    table = pq.ParquetFile(target.episodes_file).read()
    entries = table.to_pylist()
    entries[1]["stats/action/mean"] = [7e9, 7e9]
    pq.write_table(pa.Table.from_pylist(entries, table.schema), target.episodes_file)


def dtype_and_shape(target: Target) -> None:
    features = json.loads(target.info.read_text())["features"]
    target.set_info(features=features | {"action": {"dtype": 3, "shape": "wide", "names": None}})


def rate_and_keyframe(target: Target) -> None:
    """The video of another rate, and its first image no keyframe."""

    def changed(images: list) -> list:
        images[0].is_keyframe = False
        for image in images:
            image.at *= 2
        return images

    target.remux(changed)


def null_and_infinity(target: Target) -> None:
    target.change_column("action", lambda values: [None, [float("inf"), 0.0], *values[2:]])


PAIRS = {
    "both path templates": Pair(
        both_templates, (("template-mismatch", "data_path"), ("template-mismatch", "video_path"))
    ),
    "unknown fields in both": Pair(
        both_unknown_fields, (("bad-path-template", "data_path"), ("bad-path-template", "video_path"))
    ),
    "a type and a width": Pair(
        type_and_width, (("shape-mismatch", "'action'"), ("shape-mismatch", "'observation.state'"))
    ),
    "a resume broken off, and the tasks": Pair(
        resumed_and_tasks, (("unfinished-resume", "resumed"), ("wrong-total", "total_tasks"))
    ),
    "only the metadata, and no tasks": Pair(
        metadata_and_tasks, (("only-metadata", "metadata"), ("missing-file", "missing"))
    ),
    "a list cut off, and the tasks": Pair(
        list_and_tasks, (("bad-parquet", "parquet"), ("wrong-total", "total_tasks"))
    ),
    "a resume broken off, and an episode's statistics": Pair(
        resumed_and_episode_statistics, (("unfinished-resume", "resumed"), ("wrong-statistics", "'action'"))
    ),
    "dtype and shape of a feature": Pair(
        dtype_and_shape, (("bad-info", "action.dtype"), ("bad-info", "action.shape"))
    ),
    "a rate, and a keyframe": Pair(
        rate_and_keyframe, (("video-wrong-fps", "fps"), ("video-no-keyframe", "keyframe"))
    ),
    "a null, and what was not looked at for it": Pair(
        null_and_infinity, (("null-values", "'action'"), ("not-checked", "'action'"))
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_both_faults_are_named(name: str, sound: Path, tmp_path: Path) -> None:
    target = Target(Path(shutil.copytree(sound, tmp_path / "set")), "v3.0")
    PAIRS[name].inject(target)
    problems = verify_dataset(target.root).problems
    for code, word in PAIRS[name].named:
        assert any(problem.code == code and word in problem.message for problem in problems), "\n".join(
            map(str, problems)
        )


def test_a_camera_no_template_leads_to_is_named_where_lerobot_cannot_open_it(
    sound: Path, tmp_path: Path
) -> None:
    target = Target(Path(shutil.copytree(sound, tmp_path / "set")), "v3.0")
    both_templates(target)
    report = verify_dataset(target.root)
    assert not report.ok
    assert CAMERA in target.features

"""What the check of a new dataset refuses: named at the source, not at the folder it was written into."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge
from lerobot_grasp_plugin.findings.problem import VerificationError
from tests.support.factories import Legacy, write_legacy

EYE = "observation.images.eye"


def cut_images(path: Path) -> None:
    """Takes the ends off the images of a table."""
    table = pq.read_table(path)
    images = [{**image, "bytes": image["bytes"][:-20]} for image in table[EYE].to_pylist()]
    column = pa.array(images, table.schema.field(EYE).type)
    pq.write_table(table.set_column(table.column_names.index(EYE), EYE, column), path)


def test_a_refused_output_names_the_source_and_its_episode(tmp_path: Path) -> None:
    spec = Legacy(cameras=(), images=(EYE,))
    good = write_legacy(tmp_path / "good", spec)
    bad = write_legacy(tmp_path / "bad", Legacy(cameras=(), images=(EYE,), seed=9))
    cut_images(bad / "data/chunk-000/episode_000001.parquet")
    sources = [SourceConfig(root=good), SourceConfig(root=bad, episodes=[1, 2])]
    with pytest.raises(VerificationError) as caught:
        merge(MergeConfig(sources=sources, new_root=tmp_path / "out"))
    problem = caught.value.problems[0]
    assert problem.place.path.startswith(str(bad / "data/chunk-000/episode_000001.parquet"))
    assert problem.place.episode == 1
    text = str(caught.value)
    assert "staging" not in text
    assert "episode 3" not in text
    assert "4 rows of episode 1 of bad" in text
    assert not (tmp_path / "out").exists()

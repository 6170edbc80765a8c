"""Path templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from lerobot_grasp_plugin import DatasetError
from lerobot_grasp_plugin.dataset import layout

ROOT = Path("/data/set")


def test_a_template_is_filled() -> None:
    path = layout.fill_template(
        ROOT, "d/{chunk_index:03d}/{file_index}.parquet", setting="data_path", chunk_index=2, file_index=11
    )
    assert path == ROOT / "d/002/11.parquet"


@pytest.mark.parametrize(
    "template",
    [
        "../{n}.parquet",
        "a/../../{n}",
        "/etc/{n}",
        "{n}/../..",
        "{n}\0",
        "{m}",
        "{}",
        "{0}",
        "{n.real}",
        "{n[0]}",
        "{n",
        "n}",
        "{n:x{n}}",
        "{n:99999999d}",
        "{n:.3f}",
        "{n!r}",
    ],
)
def test_templates_that_are_refused(template: str) -> None:
    with pytest.raises(DatasetError) as caught:
        layout.fill_template(ROOT, template, setting="data_path", n=1)
    assert caught.value.problems[0].place.path == str(ROOT / "meta/info.json")
    assert "data_path" in caught.value.problems[0].message


def test_a_value_does_not_lead_outside() -> None:
    with pytest.raises(DatasetError, match="path-outside-dataset"):
        layout.fill_template(ROOT, "v/{video_key}/x.mp4", setting="video_path", video_key="../../../etc")


def test_files_of_a_chunk() -> None:
    assert layout.chunk_and_file(0) == (0, 0)
    assert layout.chunk_and_file(999) == (0, 999)
    assert layout.chunk_and_file(1000) == (1, 0)
    assert layout.chunk_and_file(5, 2) == (2, 1)

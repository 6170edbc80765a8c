"""LeRobot reads an output with both of its video backends, and sees the source's images."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge

BACKENDS = ("pyav", "torchcodec")


def skip_unless_usable(backend: str) -> None:
    if backend != "torchcodec":
        return
    try:
        import torchcodec  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        if os.environ.get("GRASP_REQUIRE_TORCHCODEC"):
            raise
        pytest.skip(f"torchcodec does not load: {str(error).splitlines()[0]}")


@pytest.mark.parametrize(("name", "episodes"), [("av1", [4, 0, 2]), ("split", [7, 2, 3, 0])])
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_image_is_the_sources(
    backend: str, name: str, episodes: list[int], recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    """Of AV1, and of H.264 from two cameras in several files."""
    skip_unless_usable(backend)
    from lerobot.datasets import LeRobotDataset

    recording = recorded(name)
    merge(MergeConfig(sources=[SourceConfig(root=recording, episodes=episodes)], new_root=tmp_path / "out"))
    source = LeRobotDataset("grasp/source", root=recording, video_backend=backend)
    output = LeRobotDataset("grasp/out", root=tmp_path / "out", video_backend=backend)
    row = 0
    for episode in episodes:
        entry = source.meta.episodes[episode]
        for original in range(entry["dataset_from_index"], entry["dataset_to_index"]):
            theirs, ours = source[original], output[row]
            for key in source.meta.camera_keys:
                np.testing.assert_array_equal(ours[key].numpy(), theirs[key].numpy())
            assert ours["timestamp"] == theirs["timestamp"]
            row += 1
    assert row == len(output)

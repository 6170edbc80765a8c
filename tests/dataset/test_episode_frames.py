"""Images of an episode are those LeRobot's reader gives, whatever they are stored as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lerobot_grasp_plugin import DatasetError, UsageError, open_dataset
from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from tests.support.factories import Legacy, image, write_legacy
from tests.support.lerobot_judge import items_of, legacy_items

type Recorded = Callable[[str], Path]


def pixels(tensor: Any) -> np.ndarray:
    """An image of LeRobot's, as bytes, height x width x 3."""
    return (tensor * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("name", "episode"), [("av1", 2), ("split", 3), ("split", 7), ("h264", 1), ("odd", 1)]
)
def test_frames_are_lerobots(recorded: Recorded, name: str, episode: int) -> None:
    root = recorded(name)
    reader = open_dataset(root=root)
    items = items_of(root, episode)
    assert reader.info.camera_keys
    for key in reader.info.camera_keys:
        decoded = list(EpisodeFrames(reader).decode(episode, key))
        assert [frame for frame, _ in decoded] == list(range(len(items)))
        for (_, found), item in zip(decoded, items, strict=True):
            assert (found.dtype, found.shape) == (np.uint8, (64, 96, 3))
            assert np.array_equal(found, pixels(item[key]))


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_older_versions_and_chosen_frames(tmp_path: Path, version: str) -> None:
    spec = Legacy(version=version, images=("observation.images.eye",), jitter_s=0.03)
    root = write_legacy(tmp_path / "set", spec)
    frames = EpisodeFrames(open_dataset(root=root))
    items = legacy_items(root, spec, 2)
    for key in (*spec.cameras, *spec.images):
        decoded = dict(frames.decode(2, key, [4, 1, 1]))
        assert list(decoded) == [1, 4]
        assert all(np.array_equal(found, pixels(items[frame][key])) for frame, found in decoded.items())
    assert np.array_equal(dict(frames.decode(2, spec.images[0]))[3], image(spec.seed, 2, 3, 1))


def test_what_is_not_there_is_named(recorded: Recorded) -> None:
    frames = EpisodeFrames(open_dataset(root=recorded("odd")))
    with pytest.raises(UsageError, match=r"no camera 'wrist'(.|\n)*observation\.images\.eye"):
        frames.decode(0, "wrist")
    with pytest.raises(ValueError, match="frame 4 is wanted"):
        list(frames.decode(0, "observation.images.eye", [4]))


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = write_legacy(tmp_path / "set", Legacy(cameras=(), images=("eye",)))
    path = next(root.rglob("episode_000001.parquet"))
    table = pq.ParquetFile(path).read()
    column = table["eye"].to_pylist()
    column[2]["bytes"] = b"no image"
    place = table.column_names.index("eye")
    pq.write_table(table.set_column(place, "eye", pa.array(column, table["eye"].type)), path)
    with pytest.raises(DatasetError, match=r"(?s)episode 1, frame 2: not an image.*\[bad-picture\]"):
        list(EpisodeFrames(open_dataset(root=root)).decode(1, "eye"))

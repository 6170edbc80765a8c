"""LeRobot's reader with this package's preprocessing and frame cache in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import datasets
import torch
from lerobot.datasets.dataset_reader import DatasetReader
from lerobot.datasets.io_utils import hf_transform_to_torch
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import frame_of, nearest_frame
from lerobot_grasp_plugin.errors import DatasetError, Problem
from lerobot_grasp_plugin.learning.frame_cache import FrameCache
from lerobot_grasp_plugin.learning.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.video.frames import decode_segment


class FrameReader(DatasetReader):  # type: ignore[misc]  # lerobot is not typed
    """Reads items as LeRobot does; only what becomes of pictures differs.

    Crop, resize and range come right after decoding, before LeRobot's ``image_transforms``. Depth
    maps are left as they are.

    Args:
        reader: An open reader of LeRobot's, whose rows are taken over.
        preprocessing: What is done to pictures; None for nothing. With it, pictures are float32 in
            [0, 1] even where ``return_uint8`` was asked for.
        cache: Where decoded episodes are kept; None to decode every frame when it is read.
    """

    def __init__(
        self, reader: DatasetReader, preprocessing: ImagePreprocessing | None, cache: FrameCache | None
    ) -> None:
        self.__dict__.update(reader.__dict__)
        self.preprocessing = preprocessing
        self.cache = cache
        if self.hf_dataset is not None:
            self.hf_dataset.set_transform(self._row_transform())

    def fill_cache(self, episodes: Sequence[int]) -> None:
        """Decodes episodes into the cache, in order."""
        for episode in episodes:
            for camera_key in self._cached_cameras():
                self._cached(episode, camera_key)

    def _load_hf_dataset(self) -> datasets.Dataset:
        rows = super()._load_hf_dataset()
        rows.set_transform(self._row_transform())
        return rows

    def _row_transform(self) -> _RowTransform:
        cameras = [key for key in self._meta.image_keys if key not in self._meta.depth_keys]
        return _RowTransform(cameras, self.preprocessing)

    def _cached_cameras(self) -> list[str]:
        if self.cache is None:
            return []
        return [key for key in self._meta.video_keys if key not in self._meta.depth_keys]

    def _query_videos(self, query_timestamps: dict[str, list[float]], ep_idx: int) -> dict[str, torch.Tensor]:
        cached = self._cached_cameras()
        pictures: dict[str, torch.Tensor] = {}
        for camera_key in cached:
            if camera_key in query_timestamps:
                pictures[camera_key] = self._from_cache(ep_idx, camera_key, query_timestamps[camera_key])
        others = {key: stamps for key, stamps in query_timestamps.items() if key not in pictures}
        decoded = super()._query_videos(others, ep_idx) if others else {}
        for camera_key, picture in decoded.items():
            is_depth = camera_key in self._meta.depth_keys
            if self.preprocessing is None or is_depth:
                pictures[camera_key] = picture
            else:
                pictures[camera_key] = self.preprocessing(camera_key, picture)
        return pictures

    def _from_cache(self, episode: int, camera_key: str, timestamps: Sequence[float]) -> torch.Tensor:
        """Shape ``(3, H, W)`` for one timestamp, else ``(len(timestamps), 3, H, W)``."""
        assert self.cache is not None
        try:
            frames = [frame_of(stamp, self._meta.fps, self._tolerance_s) for stamp in timestamps]
        except ValueError as error:
            where = f"{self.root}: episode {episode}, camera {camera_key!r}"
            raise DatasetError(Problem("timestamp-off-grid", str(error), where)) from None
        kept = self._cached(episode, camera_key)[frames]
        if self.preprocessing is None and self._return_uint8:
            return kept.squeeze(0)
        return self.cache.finished(kept).squeeze(0)

    def _cached(self, episode: int, camera_key: str) -> torch.Tensor:
        assert self.cache is not None
        row: Mapping[str, Any] = self._meta.episodes[episode]
        length, fps = int(row["length"]), int(self._meta.fps)
        start = nearest_frame(float(row[f"videos/{camera_key}/from_timestamp"]), fps)[0]
        path = self.root / self._meta.get_video_file_path(episode, camera_key)

        def decode() -> Iterable[NDArray[Any]]:
            return (pixels for _, pixels in decode_segment(path, start, length, fps))

        return self.cache.episode(episode, camera_key, length, decode)


class _RowTransform:
    """Rows as tensors (LeRobot's rule), with pictures that stand in the table preprocessed."""

    def __init__(self, cameras: Sequence[str], preprocessing: ImagePreprocessing | None) -> None:
        self._cameras = cameras
        self._preprocessing = preprocessing

    def __call__(self, rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        items: dict[str, list[Any]] = hf_transform_to_torch(rows)
        if self._preprocessing is not None:
            for camera_key in self._cameras:
                if camera_key in items:
                    items[camera_key] = [
                        self._preprocessing(camera_key, picture) for picture in items[camera_key]
                    ]
        return items

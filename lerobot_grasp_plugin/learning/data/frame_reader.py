"""LeRobot's reader with this package's preprocessing and frame cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import torch
from lerobot.datasets.dataset_reader import DatasetReader
from lerobot.datasets.io_utils import hf_transform_to_torch
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import frame_of, nearest_frame
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem
from lerobot_grasp_plugin.learning.data.frame_cache import FrameCache
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.video.frames import decode_segment


def check_storage(reader: Any, root: str | Path) -> None:
    """Refuses a dataset whose rows and images LeRobot reads from another storage than files of its own.

    Args:
        reader: The dataset's, of LeRobot.
        root: Its folder, for messages.

    Raises:
        DatasetError: It is not the reader that can be extended.
    """
    if not isinstance(reader, DatasetReader):
        message = f"its rows are not in parquet files ({type(reader).__name__} reads them), but labels and "
        message += "images can only be changed while reading parquet files"
        hint = "convert it to LeRobot's default storage, or remove annotations and cache_frames and "
        hint += "set preprocessing=None"
        raise DatasetError(Problem("unsupported-storage", message, Path(root), hint))


class FrameReader(DatasetReader):  # type: ignore[misc]  # lerobot is not typed
    """Reads items as LeRobot does, with preprocessed images.

    Crop, resize and range come right after decoding, before LeRobot's ``image_transforms``. Depth
    maps are left as they are.

    Args:
        reader: An open reader of LeRobot's, whose rows are used.
        preprocessing: What is done to images; None for nothing. With it, images are float32 in
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

    def _query_videos(self, query_timestamps: Any, ep_idx: Any) -> Any:
        """Images of one item, camera_key -> tensor; or of several, where LeRobot asks for lists of both."""
        if not isinstance(query_timestamps, list):
            return self._images([query_timestamps], [ep_idx], is_batch=False)[0]
        return self._images(query_timestamps, ep_idx, is_batch=True)

    def _images(
        self, stamps: list[dict[str, list[float]]], episodes: Sequence[Any], *, is_batch: bool
    ) -> list[dict[str, torch.Tensor]]:
        """Images of some items.

        Args:
            stamps: Of each item: camera_key -> seconds in its episode.
            episodes: ``episode_index`` of each item.
            is_batch: Whether LeRobot's own method takes and gives lists.
        """
        cached = self._cached_cameras()
        images: list[dict[str, torch.Tensor]] = [
            {
                camera_key: self._from_cache(int(episode), camera_key, own[camera_key])
                for camera_key in cached
                if camera_key in own
            }
            for own, episode in zip(stamps, episodes, strict=True)
        ]
        others = [{key: times for key, times in own.items() if key not in cached} for own in stamps]
        if not any(others):
            return images
        stock = super()._query_videos
        decoded = stock(others, episodes) if is_batch else [stock(others[0], episodes[0])]
        for item, of_lerobot in zip(images, decoded, strict=True):
            for camera_key, image in of_lerobot.items():
                is_depth = camera_key in self._meta.depth_keys
                whole = None if is_depth else self.preprocessing
                item[camera_key] = image if whole is None else whole(camera_key, image)
        return images

    def _from_cache(self, episode: int, camera_key: str, timestamps: Sequence[float]) -> torch.Tensor:
        """Shape ``(3, H, W)`` for one timestamp, else ``(len(timestamps), 3, H, W)``."""
        assert self.cache is not None
        try:
            frames = [frame_of(stamp, self._meta.fps, self._tolerance_s) for stamp in timestamps]
        except ValueError as error:
            place = Place(str(self.root), field=f"camera {camera_key!r}", episode=episode)
            raise DatasetError(Problem("timestamp-off-grid", str(error), place)) from None
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
    """Rows as tensors (LeRobot's rule), with images of the table preprocessed."""

    def __init__(self, cameras: Sequence[str], preprocessing: ImagePreprocessing | None) -> None:
        self._cameras = cameras
        self._preprocessing = preprocessing

    def __call__(self, rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        items: dict[str, list[Any]] = hf_transform_to_torch(rows)
        if self._preprocessing is not None:
            for camera_key in self._cameras:
                if camera_key in items:
                    items[camera_key] = [
                        self._preprocessing(camera_key, image) for image in items[camera_key]
                    ]
        return items

"""Small datasets: v3.0 through LeRobot's own writer, v2.0 and v2.1 written here, by the book.

Every value is a function of (seed, episode, frame), so that a test can say what it expects without
reading anything.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

FPS = 10
HEIGHT, WIDTH = 64, 96
JOINTS = ["shoulder.pos", "gripper.pos"]
LEGACY_DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
LEGACY_VIDEO = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"

av.logging.set_level(None)


# -- values -----------------------------------------------------------------------------------------


def image(seed: int, episode: int, frame: int, camera: int = 0) -> np.ndarray:
    """An image unlike every other one: a moving ramp under noise."""
    noise = np.random.default_rng(1000 * seed + 10 * episode + camera).integers(0, 50, (HEIGHT, WIDTH, 3))
    across = (np.arange(WIDTH)[None, :, None] * 2 + frame * 11 + episode * 5) % 170
    return ((noise + across + 20 * camera) % 256).astype(np.uint8)


def state(seed: int, episode: int, frame: int) -> np.ndarray:
    return np.random.default_rng((seed, episode, frame)).normal(0, 30, len(JOINTS)).astype(np.float32)


def action(seed: int, episode: int, frame: int) -> np.ndarray:
    return (state(seed, episode, frame) * np.float32(0.5)).astype(np.float32)


# -- v3.0, by LeRobot -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recording:
    """What LeRobot is to record."""

    lengths: Sequence[int]
    seed: int = 0
    cameras: Sequence[str] = ("observation.images.wrist",)
    images: Sequence[str] = ()
    tasks: Sequence[str] = ("pick the cube",)  # episode e has task e modulo their number
    codec: str = "libsvtav1"
    labels: bool = True
    rewards: dict[int, Sequence[int]] = field(default_factory=dict)  # episode -> success frames
    robot_type: str | None = "so_follower"
    small_files: bool = False
    odd_features: bool = False
    fps: int = FPS


def features_of(recording: Recording) -> dict[str, dict[str, Any]]:
    features: dict[str, dict[str, Any]] = {
        "observation.state": {"dtype": "float32", "shape": (len(JOINTS),), "names": JOINTS},
        "action": {"dtype": "float32", "shape": (len(JOINTS),), "names": JOINTS},
    }
    if recording.labels:
        features["next.reward"] = {"dtype": "float32", "shape": (1,), "names": None}
        features["next.done"] = {"dtype": "bool", "shape": (1,), "names": None}
    for key in recording.cameras:
        features[key] = {
            "dtype": "video",
            "shape": (HEIGHT, WIDTH, 3),
            "names": ["height", "width", "channels"],
        }
    for key in recording.images:
        features[key] = {
            "dtype": "image",
            "shape": (HEIGHT, WIDTH, 3),
            "names": ["height", "width", "channels"],
        }
    if recording.odd_features:
        features["odd.matrix"] = {"dtype": "float32", "shape": (2, 3), "names": None}
        features["odd.double"] = {"dtype": "float64", "shape": (3,), "names": ["a", "b", "c"]}
        features["odd.flags"] = {"dtype": "bool", "shape": (2,), "names": None}
        features["odd.byte"] = {"dtype": "uint8", "shape": (1,), "names": None}
        features["odd.text"] = {"dtype": "string", "shape": (1,), "names": None}
    return features


def record(root: Path, recording: Recording) -> Path:
    """Records a dataset with LeRobot."""
    from lerobot.configs import RGBEncoderConfig
    from lerobot.datasets import LeRobotDataset

    if recording.codec == "libsvtav1":
        encoder = RGBEncoderConfig()
    else:
        encoder = RGBEncoderConfig(vcodec=recording.codec, preset="veryfast")
    dataset = LeRobotDataset.create(
        f"lab/{root.name}",
        fps=recording.fps,
        features=features_of(recording),
        root=root,
        robot_type=recording.robot_type,
        use_videos=bool(recording.cameras),
        rgb_encoder=encoder,
        encoder_threads=1,
    )
    if recording.small_files:
        dataset.meta.update_chunk_settings(
            chunks_size=2, data_files_size_in_mb=0.004, video_files_size_in_mb=0.0062
        )
    for episode, length in enumerate(recording.lengths):
        for frame in range(length):
            dataset.add_frame(recorded_frame(recording, episode, frame))
        dataset.save_episode(parallel_encoding=False)
    dataset.finalize()
    return root


def recorded_frame(recording: Recording, episode: int, frame: int) -> dict[str, Any]:
    seed = recording.seed
    values: dict[str, Any] = {
        "observation.state": state(seed, episode, frame),
        "action": action(seed, episode, frame),
        "task": recording.tasks[episode % len(recording.tasks)],
    }
    if recording.labels:
        success = frame in recording.rewards.get(episode, ())
        values["next.reward"] = np.array([float(success)], np.float32)
        values["next.done"] = np.array([frame == recording.lengths[episode] - 1])
    for number, key in enumerate((*recording.cameras, *recording.images)):
        values[key] = image(seed, episode, frame, number)
    if recording.odd_features:
        values["odd.matrix"] = np.arange(6, dtype=np.float32).reshape(2, 3) + frame
        values["odd.double"] = np.array([frame / 3, episode / 7, 1e-300])
        values["odd.flags"] = np.array([frame % 2 == 0, episode % 2 == 0])
        values["odd.byte"] = np.array([frame], np.uint8)
        values["odd.text"] = f"söme text {frame}"
    return values


RECORDINGS = {
    "av1": Recording(
        (7, 5, 9, 6, 8),
        tasks=("pick the cube", "place the cube"),
        rewards={0: (5, 6), 1: (4,), 2: (3, 4), 4: (7,)},
    ),
    "av1-other": Recording(
        (6, 4, 5), seed=1, tasks=("place the cube", "push the cube", "pick the cube"), robot_type=None
    ),
    "unlabelled": Recording((5, 1, 6), seed=2, labels=False, robot_type=None),
    "h264": Recording((5, 4), seed=6, codec="h264"),
    "split": Recording(  # two cameras, several chunks, several files per camera
        (8, 6, 9, 5, 7, 6, 8, 5),
        seed=3,
        cameras=("observation.images.wrist", "observation.images.front"),
        codec="h264",
        small_files=True,
        tasks=("pick", "place"),
        rewards={0: (7,)},
    ),
    "split-other": Recording(
        (5, 6),
        seed=4,
        cameras=("observation.images.wrist", "observation.images.front"),
        codec="h264",
        tasks=("place", "stack"),
    ),
    "odd": Recording((4, 3, 4), seed=5, cameras=(), images=("observation.images.eye",), odd_features=True),
}


# -- v2.0 and v2.1 ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Legacy:
    """What a v2.x dataset is to be, its faults included."""

    lengths: Sequence[int] = (6, 4, 5)
    version: str = "v2.1"
    seed: int = 7
    cameras: Sequence[str] = ("observation.images.wrist",)
    images: Sequence[str] = ()
    tasks: Sequence[str] = ("pick the cube",)
    labels: bool = False
    robot_type: str | None = "so_follower"
    data_path: str | None = LEGACY_DATA
    video_path: str | None = LEGACY_VIDEO
    chunks_size: int = 1000
    video_info: str = "info"  # or "video_info", as v2.0 spells it
    jitter_s: float = 0.0
    index_dtype: str = "int64"
    without_columns: Sequence[str] = ()
    extra_column: bool = False
    extra_video_frames: int = 0
    stats: bool = True
    fps: float = FPS


def legacy_timestamps(spec: Legacy, episode: int) -> np.ndarray:
    length = spec.lengths[episode]
    jitter = np.random.default_rng((spec.seed, episode)).uniform(0.5, 1, length) * spec.jitter_s
    return (np.arange(length) / spec.fps + jitter).astype(np.float32)


def write_legacy(root: Path, spec: Legacy) -> Path:
    """Writes a v2.0 or v2.1 dataset, one table and one video file per episode."""
    data_path, video_path = spec.data_path or LEGACY_DATA, spec.video_path or LEGACY_VIDEO
    total = 0
    all_stats = []
    for episode, length in enumerate(spec.lengths):
        places = {"episode_chunk": episode // spec.chunks_size, "episode_index": episode}
        path = root / data_path.format(**places)
        path.parent.mkdir(parents=True, exist_ok=True)
        table = legacy_table(spec, episode, total)
        pq.write_table(table, path)
        for number, key in enumerate(spec.cameras):
            path = root / video_path.format(video_key=key, **places)
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = length + spec.extra_video_frames
            encode(path, [image(spec.seed, episode, frame, number) for frame in range(frames)], spec.fps)
        all_stats.append(legacy_stats(spec, episode, table))
        total += length
    meta = root / "meta"
    meta.mkdir(parents=True, exist_ok=True)
    tasks = [{"task_index": number, "task": task} for number, task in enumerate(spec.tasks)]
    write_lines(meta / "tasks.jsonl", tasks)
    episodes = [
        {"episode_index": episode, "tasks": [spec.tasks[episode % len(spec.tasks)]], "length": length}
        for episode, length in enumerate(spec.lengths)
    ]
    write_lines(meta / "episodes.jsonl", episodes)
    if spec.stats and spec.version == "v2.1":
        entries = [{"episode_index": number, "stats": stats} for number, stats in enumerate(all_stats)]
        write_lines(meta / "episodes_stats.jsonl", entries)
    elif spec.stats:
        (meta / "stats.json").write_text(json.dumps(overall_stats(all_stats)))
    info = {
        "codebase_version": spec.version,
        "robot_type": spec.robot_type,
        "total_episodes": len(spec.lengths),
        "total_frames": total,
        "total_tasks": len(spec.tasks),
        "total_videos": len(spec.lengths) * len(spec.cameras),
        "total_chunks": 1,
        "chunks_size": spec.chunks_size,
        "fps": spec.fps,
        "splits": {"train": f"0:{len(spec.lengths)}"},
        "data_path": spec.data_path,
        "video_path": spec.video_path,
        "features": legacy_features(spec),
    }
    (meta / "info.json").write_text(json.dumps(info, indent=2))
    return root


def legacy_features(spec: Legacy) -> dict[str, Any]:
    size = {"shape": [HEIGHT, WIDTH, 3], "names": ["height", "width", "channels"]}
    stream = {
        "video.fps": float(spec.fps),
        "video.height": HEIGHT,
        "video.width": WIDTH,
        "video.channels": 3,
        "video.codec": "h264",
        "video.pix_fmt": "yuv420p",
        "video.is_depth_map": False,
        "has_audio": False,
    }
    features: dict[str, Any] = {
        "observation.state": {"dtype": "float32", "shape": [len(JOINTS)], "names": JOINTS},
        "action": {"dtype": "float32", "shape": [len(JOINTS)], "names": JOINTS},
    }
    features |= {key: {"dtype": "video", **size, spec.video_info: dict(stream)} for key in spec.cameras}
    features |= {key: {"dtype": "image", **size} for key in spec.images}
    if spec.labels:
        features["next.reward"] = {"dtype": "float32", "shape": [1], "names": None}
        features["next.done"] = {"dtype": "bool", "shape": [1], "names": None}
    features["timestamp"] = {"dtype": "float32", "shape": [1], "names": None}
    for name in ("frame_index", "episode_index", "index", "task_index"):
        features[name] = {"dtype": "int64", "shape": [1], "names": None}
    return features


def legacy_table(spec: Legacy, episode: int, first_index: int) -> pa.Table:
    length = spec.lengths[episode]
    width = len(JOINTS)
    numbers = np.arange(length)
    columns: dict[str, Any] = {
        "observation.state": pa.FixedSizeListArray.from_arrays(
            np.concatenate([state(spec.seed, episode, frame) for frame in range(length)]), width
        ),
        "action": pa.FixedSizeListArray.from_arrays(
            np.concatenate([action(spec.seed, episode, frame) for frame in range(length)]), width
        ),
    }
    for number, key in enumerate(spec.images, start=len(spec.cameras)):
        encoded = [png(image(spec.seed, episode, frame, number)) for frame in range(length)]
        columns[key] = pa.array(
            [{"bytes": data, "path": f"frame_{frame:06d}.png"} for frame, data in enumerate(encoded)],
            pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        )
    if spec.labels:
        columns["next.reward"] = (numbers == length - 1).astype(np.float32)
        columns["next.done"] = numbers == length - 1
    columns["timestamp"] = legacy_timestamps(spec, episode)
    columns["frame_index"] = numbers.astype(spec.index_dtype)
    columns["episode_index"] = np.full(length, episode, spec.index_dtype)
    columns["index"] = (numbers + first_index).astype(spec.index_dtype)
    columns["task_index"] = np.full(length, episode % len(spec.tasks), spec.index_dtype)
    if spec.extra_column:
        columns["undeclared"] = [f"note {frame}" for frame in range(length)]
    for name in spec.without_columns:
        del columns[name]
    return pa.table(columns)


def legacy_stats(spec: Legacy, episode: int, table: pa.Table) -> dict[str, Any]:
    """min, max, mean, std and count, as LeRobot kept them before quantiles."""
    stats = {}
    for name in table.column_names:
        if name in (*spec.images, "undeclared"):
            continue
        values = np.array(table[name].to_pylist(), dtype=np.float64).reshape(table.num_rows, -1)
        stats[name] = {
            "min": values.min(0).tolist(),
            "max": values.max(0).tolist(),
            "mean": values.mean(0).tolist(),
            "std": values.std(0).tolist(),
            "count": [len(values)],
        }
    for number, key in enumerate((*spec.cameras, *spec.images)):
        stack = np.stack([image(spec.seed, episode, frame, number) for frame in range(table.num_rows)])
        pixels = stack.reshape(-1, 3) / 255
        stats[key] = {
            name: getattr(np, name)(pixels, axis=0).reshape(3, 1, 1).tolist()
            for name in ("min", "max", "mean", "std")
        } | {"count": [table.num_rows]}
    return stats


def overall_stats(episodes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Statistics over all rows from those of the episodes."""
    stats: dict[str, Any] = {}
    for name in episodes[0]:
        parts = {key: np.array([each[name][key] for each in episodes]) for key in episodes[0][name]}
        counts = parts["count"].reshape(-1, *[1] * (parts["mean"].ndim - 1))
        mean = (parts["mean"] * counts).sum(0) / counts.sum()
        variance = ((parts["std"] ** 2 + (parts["mean"] - mean) ** 2) * counts).sum(0) / counts.sum()
        stats[name] = {
            "min": parts["min"].min(0).tolist(),
            "max": parts["max"].max(0).tolist(),
            "mean": mean.tolist(),
            "std": np.sqrt(variance).tolist(),
            "count": [int(counts.sum())],
        }
    return stats


def encode(
    path: Path,
    pixels: Sequence[np.ndarray],
    fps: float = FPS,
    encoder: str = "libx264",
    parameters: str = "keyint=2:scenecut=0:threads=1",
) -> Path:
    """An h264 (or libx265's hevc) file with a keyframe every second image, or as the parameters say."""
    with av.open(str(path), "w") as output:
        options = {"preset": "ultrafast", "crf": "30", f"{encoder.removeprefix('lib')}-params": parameters}
        rate = Fraction(fps).limit_denominator(1001)
        stream = cast("av.VideoStream", output.add_stream(encoder, rate, options=options))
        stream.height, stream.width = pixels[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, values in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(values, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def png(pixels: np.ndarray) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


# -- files ------------------------------------------------------------------------------------------


def write_lines(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def read_info(root: Path) -> dict[str, Any]:
    return json.loads((root / "meta/info.json").read_text())


def change_info(root: Path, **changes: Any) -> None:
    """Overwrites entries of info.json."""
    (root / "meta/info.json").write_text(json.dumps(read_info(root) | changes))


def tree(root: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder, by its path in it."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def data_table(root: Path) -> pa.Table:
    """All rows of a v3.0 dataset."""
    paths = sorted((root / "data").rglob("*.parquet"))
    return pa.concat_tables([pq.ParquetFile(path).read() for path in paths])


def episodes_table(root: Path) -> pa.Table:
    """The episodes table of a v3.0 dataset."""
    paths = sorted((root / "meta/episodes").rglob("*.parquet"))
    return pa.concat_tables([pq.ParquetFile(path).read() for path in paths])

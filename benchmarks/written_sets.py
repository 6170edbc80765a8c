"""Datasets written straight in the layouts of v3.0 and v2.1, as LeRobot's writer leaves them.

One row group per episode, statistics per episode, ten episodes per row group of the episodes table.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

MEGABYTE = 2**20
EPISODES_PER_ROW_GROUP = 10  # LeRobot's metadata_buffer_size
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
JOINTS = [
    f"{joint}.pos"
    for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
]
ROBOT = "so101_follower"
TASKS = ["pick up the cube", "push the cube aside"]


def features(cameras: dict[str, tuple[int, int]]) -> dict[str, dict]:
    """Features of an SO101 recording with rewards; cameras by name with height and width."""
    joints = {"dtype": "float32", "shape": (len(JOINTS),), "names": JOINTS}
    result = {
        "observation.state": dict(joints),
        "action": dict(joints),
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.done": {"dtype": "bool", "shape": (1,), "names": None},
    }
    for name, (height, width) in cameras.items():
        result[f"observation.images.{name}"] = {
            "dtype": "video",
            "shape": (height, width, 3),
            "names": ["height", "width", "channels"],
        }
    return result


def rows(episodes: int, length: int, fps: int, seed: int) -> dict[str, np.ndarray]:
    """Columns of a dataset as arrays of (episode, row, dimension)."""
    rng = np.random.default_rng(seed)
    shape = (episodes, length, 1)
    moment = np.arange(length).reshape(1, length, 1)
    phase = rng.uniform(0, 2 * np.pi, (episodes, 1, len(JOINTS)))
    state = 40 * np.sin(phase + moment / 15) + rng.normal(0, 0.3, (episodes, length, len(JOINTS)))
    number = np.arange(episodes).reshape(episodes, 1, 1)
    last = np.broadcast_to(moment == length - 1, shape)
    return {
        "observation.state": state.astype(np.float32),
        "action": (state + rng.normal(0, 1, state.shape)).astype(np.float32),
        "next.reward": (last & (number % 2 == 1)).astype(np.float32),
        "next.done": last,
        "timestamp": np.broadcast_to(moment / fps, shape).astype(np.float32),
        "frame_index": np.broadcast_to(moment, shape).astype(np.int64),
        "episode_index": np.broadcast_to(number, shape).astype(np.int64),
        "index": np.arange(episodes * length).reshape(shape),
        "task_index": np.broadcast_to(number % len(TASKS), shape).astype(np.int64),
    }


def episode_statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    """LeRobot's ten statistics, one row per episode."""
    numbers = values.astype(np.float64)
    result = {
        "min": numbers.min(axis=1),
        "max": numbers.max(axis=1),
        "mean": numbers.mean(axis=1),
        "std": numbers.std(axis=1),
        "count": np.full((len(values), 1), values.shape[1], dtype=np.int64),
    }
    quantiles = np.quantile(numbers, list(QUANTILES.values()), axis=1)
    return result | dict(zip(QUANTILES, quantiles, strict=True))


def total_statistics(values: np.ndarray, per_episode: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Statistics of the whole dataset; quantiles are averages over episodes, as LeRobot has them."""
    numbers = values.reshape(-1, values.shape[2]).astype(np.float64)
    return {
        "min": numbers.min(axis=0),
        "max": numbers.max(axis=0),
        "mean": numbers.mean(axis=0),
        "std": numbers.std(axis=0),
        "count": np.array([len(numbers)]),
    } | {name: per_episode[name].mean(axis=0) for name in QUANTILES}


def arrow_table(columns: dict[str, np.ndarray], schema, episode: int):
    """The rows of an episode."""
    import pyarrow as pa

    arrays = []
    for field in schema:
        flat = np.ascontiguousarray(columns[field.name][episode]).reshape(-1)
        if pa.types.is_fixed_size_list(field.type):
            arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), field.type.list_size))
        else:
            arrays.append(pa.array(flat, type=field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def write_set(
    root: Path, name: str, episodes: int, length: int, *, fps: int, recording: Path | None = None
) -> None:
    """Writes a v3.0 dataset directly.

    Args:
        recording: A recorded dataset of one episode of this length, whose video every episode shows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from lerobot.datasets import LeRobotDatasetMetadata, write_stats
    from lerobot.datasets.feature_utils import get_hf_features_from_features
    from lerobot.datasets.io_utils import write_info

    recorded = json.loads((recording / "meta/info.json").read_text())["features"] if recording else {}
    video_keys = [key for key, feature in recorded.items() if feature["dtype"] == "video"]
    declared = features({}) | {key: recorded[key] for key in video_keys}
    meta = LeRobotDatasetMetadata.create(
        f"bench/{name}", fps, declared, robot_type=ROBOT, root=root, use_videos=bool(video_keys)
    )
    meta.save_episode_tasks(TASKS)
    columns = rows(episodes, length, fps, seed=7)

    # one row group per episode, a new file when one has reached LeRobot's limit
    schema = get_hf_features_from_features(meta.features).arrow_schema
    data_files: list[int] = []
    while len(data_files) < episodes:
        file_index = data_files[-1] + 1 if data_files else 0
        path = root / meta.data_path.format(chunk_index=0, file_index=file_index)
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=True) as writer:
            while len(data_files) < episodes and path.stat().st_size < meta.data_files_size_in_mb * MEGABYTE:
                writer.write_table(arrow_table(columns, schema, len(data_files)))
                data_files.append(file_index)

    starts = np.arange(episodes) * length
    table: dict[str, pa.Array] = {
        "episode_index": pa.array(np.arange(episodes)),
        "tasks": pa.array([[TASKS[episode % len(TASKS)]] for episode in range(episodes)]),
        "length": pa.array(np.full(episodes, length)),
        "data/chunk_index": pa.array(np.zeros(episodes, np.int64)),
        "data/file_index": pa.array(data_files, pa.int64()),
        "dataset_from_index": pa.array(starts),
        "dataset_to_index": pa.array(starts + length),
    }
    for key in video_keys:
        table |= repeat_video(root, meta, key, recording, episodes, length / fps)
    totals = {}
    for feature, values in columns.items():
        per_episode = episode_statistics(values)
        totals[feature] = total_statistics(values, per_episode)
        for statistic, numbers in per_episode.items():
            offsets = np.arange(episodes + 1, dtype=np.int32) * numbers.shape[1]
            table[f"stats/{feature}/{statistic}"] = pa.ListArray.from_arrays(
                pa.array(offsets), pa.array(numbers.reshape(-1))
            )
    if recording:
        own = pq.read_table(recording / "meta/episodes/chunk-000/file-000.parquet")
        stats = json.loads((recording / "meta/stats.json").read_text())
        for key in video_keys:
            for column in own.column_names:
                if column.startswith(f"stats/{key}/"):
                    table[column] = own[column].take(pa.array(np.zeros(episodes, np.int64))).combine_chunks()
            totals[key] = {statistic: np.array(value) for statistic, value in stats[key].items()}
            totals[key]["count"] = totals[key]["count"] * episodes
    for column in ("chunk_index", "file_index"):
        table[f"meta/episodes/{column}"] = pa.array(np.zeros(episodes, np.int64))
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table(table), path, row_group_size=EPISODES_PER_ROW_GROUP, compression="snappy")

    write_stats(totals, root)
    meta.info.total_episodes, meta.info.total_frames = episodes, episodes * length
    meta.info.total_tasks = len(TASKS)
    meta.info.splits = {"train": f"0:{episodes}"}
    write_info(meta.info, root)


def repeat_video(root: Path, meta, key: str, recording: Path, episodes: int, seconds: float) -> dict:
    """Joins an episode's video to itself with LeRobot's tool; returns the columns that say where it is."""
    import pyarrow as pa
    from lerobot.datasets.video_utils import concatenate_video_files

    single = recording / "videos" / key / "chunk-000/file-000.mp4"
    per_file = max(1, meta.video_files_size_in_mb * MEGABYTE // single.stat().st_size)
    for file_index in range(-(-episodes // per_file)):
        count = min(per_file, episodes - file_index * per_file)
        path = root / meta.video_path.format(video_key=key, chunk_index=0, file_index=file_index)
        concatenate_video_files([single] * count, path)
    number = np.arange(episodes)
    return {
        f"videos/{key}/chunk_index": pa.array(np.zeros(episodes, np.int64)),
        f"videos/{key}/file_index": pa.array(number // per_file),
        f"videos/{key}/from_timestamp": pa.array((number % per_file) * seconds),
        f"videos/{key}/to_timestamp": pa.array((number % per_file + 1) * seconds),
    }


def write_v21(root: Path, episodes: int, length: int, *, fps: int, recording: Path) -> None:
    """Writes the same dataset in the v2.1 layout: a table and a video per episode, JSON lines."""
    import pyarrow.parquet as pq
    from lerobot.datasets.feature_utils import get_hf_features_from_features

    info = json.loads((recording / "meta/info.json").read_text())
    declared = info["features"]
    video_keys = [key for key, feature in declared.items() if feature["dtype"] == "video"]
    camera_stats = json.loads((recording / "meta/stats.json").read_text())
    columns = rows(episodes, length, fps, seed=7)
    for feature in declared.values():
        feature["shape"] = tuple(feature["shape"])
    schema = get_hf_features_from_features(declared).arrow_schema
    stats = {feature: episode_statistics(values) for feature, values in columns.items()}
    (root / "meta").mkdir(parents=True)
    with (
        (root / "meta/episodes.jsonl").open("w") as listing,
        (root / "meta/episodes_stats.jsonl").open("w") as statistics,
    ):
        for episode in range(episodes):
            chunk, name = f"chunk-{episode // 1000:03d}", f"episode_{episode:06d}"
            table = root / "data" / chunk / f"{name}.parquet"
            table.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(arrow_table(columns, schema, episode), table)
            for key in video_keys:
                video = root / "videos" / chunk / key / f"{name}.mp4"
                video.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(recording / "videos" / key / "chunk-000/file-000.mp4", video)
            entry = {"episode_index": episode, "tasks": [TASKS[episode % len(TASKS)]], "length": length}
            listing.write(json.dumps(entry) + "\n")
            own = {
                feature: {
                    statistic: numbers[episode].tolist()
                    for statistic, numbers in arrays.items()
                    if statistic not in QUANTILES  # came with v3.0
                }
                for feature, arrays in stats.items()
            }
            for key in video_keys:
                kept = {name: value for name, value in camera_stats[key].items() if name not in QUANTILES}
                own[key] = kept
            statistics.write(json.dumps({"episode_index": episode, "stats": own}) + "\n")
    lines = [json.dumps({"task_index": index, "task": task}) for index, task in enumerate(TASKS)]
    (root / "meta/tasks.jsonl").write_text("\n".join(lines) + "\n")
    info |= {
        "codebase_version": "v2.1",
        "total_episodes": episodes,
        "total_frames": episodes * length,
        "total_tasks": len(TASKS),
        "total_videos": episodes * len(video_keys),
        "total_chunks": -(-episodes // 1000),
        "chunks_size": 1000,
        "splits": {"train": f"0:{episodes}"},
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    }
    for setting in ("data_files_size_in_mb", "video_files_size_in_mb"):
        info.pop(setting, None)
    (root / "meta/info.json").write_text(json.dumps(info, indent=4))

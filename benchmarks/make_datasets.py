"""Makes the datasets that compare.py measures with.

    python benchmarks/make_datasets.py [--home DIR] [SET ...]

A, B      15 episodes with 991 frames and 10 with 936: 10 fps, one 640x480 camera, recorded with LeRobot
C0, C     10 episodes of 150 frames: 30 fps, two 640x480 cameras, recorded with LeRobot's streaming encoder;
          C is 20 times C0 through LeRobot's merge: 200 episodes, about 1 GB
D         one million rows in 2,000 episodes, without video
E<n>      n episodes of 50 rows: E100 (no video), E100-video (one small camera), E100-v21 (the same in the
          v2.1 layout, one file per episode)

Recording a million rows frame by frame would take hours, so D and E are written straight in the layout that
LeRobot's writer produces: one row group per episode, statistics per episode, ten episodes per row group of
the episodes table. Sets that exist are left alone.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shutil
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("SVT_LOG", "1")  # errors only
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")

DEFAULT_HOME = HERE.parent / "outputs" / "benchmarks"
JOINTS = [
    f"{joint}.pos"
    for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
]
ROBOT = "so101_follower"
TASKS = ["pick up the cube", "push the cube aside"]
LENGTHS = {
    "A": [64, 76, 58, 70, 66, 72, 55, 57, 78, 74, 68, 60, 61, 70, 62],
    "B": [100, 100, 95, 100, 100, 99, 99, 76, 77, 90],
    "C0": [150] * 10,
}
MEGABYTE = 2**20
EPISODES_PER_ROW_GROUP = 10  # LeRobot's metadata_buffer_size
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}


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


# -- recorded sets -------------------------------------------------------------------------------------


class Scene:
    """Pictures that cost an encoder about what a real desk does: texture, motion, sensor noise."""

    def __init__(self, rng: np.random.Generator, height: int, width: int, noise: float) -> None:
        from PIL import Image

        self.rng, self.height, self.width, self.noise = rng, height, width, noise
        desk = np.full((height, width, 3), 120.0)
        for cell in (4, 16, 64):
            coarse = rng.normal(128, 14, (height // cell + 2, width // cell + 2, 3)).clip(0, 255)
            smooth = Image.fromarray(coarse.astype(np.uint8)).resize(
                (width, height), Image.Resampling.BICUBIC
            )
            desk += np.asarray(smooth, dtype=np.float64) - 128
        self.desk = desk.clip(0, 255).astype(np.int16)
        self.grain = rng.normal(0, noise, (height + 64, width + 64, 3)).round().astype(np.int16)
        self.rows, self.columns = np.ogrid[:height, :width]
        self.phase = rng.uniform(0, 2 * np.pi)

    def picture(self, frame: int) -> np.ndarray:
        """The picture of one moment: an arm moves in front of the desk, a cube lies on it."""
        image = self.desk.copy()
        angle = self.phase + frame / 20
        x = self.width * (0.5 + 0.3 * np.sin(angle))
        y = self.height * (0.5 + 0.3 * np.cos(1.3 * angle))
        cube = (abs(self.rows - 0.7 * self.height) < self.height / 12) & (
            abs(self.columns - 0.4 * self.width) < self.height / 12
        )
        image[cube] = (180, 40, 40)
        arm = abs(self.columns - x - (self.rows - y) / 3) < self.width / 20
        image[arm & (self.rows < y)] = (50, 55, 60)
        gripper = (self.rows - y) ** 2 + (self.columns - x) ** 2 < (self.height / 10) ** 2
        image[gripper] = (230, 160, 30)
        if self.noise:
            top, left = self.rng.integers(0, 64, 2)
            image += self.grain[top : top + self.height, left : left + self.width]
        return image.clip(0, 255).astype(np.uint8)


def record(
    root: Path,
    name: str,
    lengths: list[int],
    *,
    fps: int,
    cameras: dict[str, tuple[int, int]],
    tasks: list[str],
    seed: int,
    rewarded: bool = True,
    noise: float = 3.0,
    **options: object,
) -> None:
    """Records a dataset as lerobot-record does: frame after frame, episode after episode."""
    from lerobot.datasets import LeRobotDataset

    dataset = LeRobotDataset.create(
        f"bench/{name}", fps, features(cameras), root=root, robot_type=ROBOT, **options
    )
    rng = np.random.default_rng(seed)
    for episode, length in enumerate(lengths):
        scenes = {camera: Scene(rng, *size, noise) for camera, size in cameras.items()}
        phase = rng.uniform(0, 2 * np.pi, len(JOINTS))
        for frame in range(length):
            state = 40 * np.sin(phase + frame / 15) + rng.normal(0, 0.3, len(JOINTS))
            last = frame == length - 1
            row = {
                "observation.state": state.astype(np.float32),
                "action": (state + rng.normal(0, 1, len(JOINTS))).astype(np.float32),
                "next.reward": np.array([float(last and rewarded)], np.float32),
                "next.done": np.array([last]),
                "task": tasks[episode % len(tasks)],
            }
            for camera, scene in scenes.items():
                row[f"observation.images.{camera}"] = scene.picture(frame)
            dataset.add_frame(row)
        dataset.save_episode()
    dataset.finalize()


def make_a(root: Path, home: Path) -> None:
    camera = {"gripper_cam": (480, 640)}
    record(root, "A", LENGTHS["A"], fps=10, cameras=camera, tasks=TASKS[:1], seed=1, image_writer_threads=4)


def make_b(root: Path, home: Path) -> None:
    camera = {"gripper_cam": (480, 640)}
    options = {"rewarded": False, "image_writer_threads": 4}
    record(root, "B", LENGTHS["B"], fps=10, cameras=camera, tasks=TASKS[:1], seed=2, **options)


def make_c0(root: Path, home: Path) -> None:
    cameras = {"front": (480, 640), "wrist": (480, 640)}
    options = {"streaming_encoding": True, "encoder_queue_maxsize": 300}
    record(root, "C0", LENGTHS["C0"], fps=30, cameras=cameras, tasks=TASKS, seed=3, **options)


def make_c(root: Path, home: Path) -> None:
    from lerobot.datasets import LeRobotDataset, merge_datasets

    part = make("C0", home)
    merge_datasets([LeRobotDataset("bench/C0", root=part) for _ in range(20)], "bench/C", output_dir=root)


# -- sets written directly -----------------------------------------------------------------------------


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


def make_d(root: Path, home: Path) -> None:
    write_set(root, "D", 2000, 500, fps=30)


def make_e0(root: Path, home: Path) -> None:
    camera = {"tiny": (96, 96)}
    record(root, "E0", [50], fps=10, cameras=camera, tasks=TASKS[:1], seed=5, noise=0)


def make_e(root: Path, home: Path, episodes: int, kind: str | None) -> None:
    recording = make("E0", home) if kind else None
    if kind == "v21":
        write_v21(root, episodes, 50, fps=10, recording=recording)
    else:
        write_set(root, f"E{episodes}", episodes, 50, fps=10, recording=recording)


# -- command line --------------------------------------------------------------------------------------

MAKERS = {"A": make_a, "B": make_b, "C0": make_c0, "C": make_c, "D": make_d, "E0": make_e0}
E_NAME = re.compile(r"E([1-9]\d*)(?:-(video|v21))?")
EVERYTHING = [
    *("A", "B", "C", "D"),
    *(f"E{episodes}{kind}" for episodes in (100, 1000, 10000) for kind in ("", "-video", "-v21")),
]


def make(name: str, home: Path) -> Path:
    """Makes a set unless it exists; under another name until it is complete."""
    root = home / name
    if (root / "meta" / "info.json").is_file():
        return root
    print(f"making {name} ...", end=" ", file=sys.stderr, flush=True)
    partial = home / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    start = time.perf_counter()
    if name in MAKERS:
        MAKERS[name](partial, home)
    else:
        episodes, kind = E_NAME.fullmatch(name).groups()
        make_e(partial, home, int(episodes), kind)
    partial.rename(root)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    print(f"{name}: {size / 1e6:.0f} MB in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return root


def set_name(text: str) -> str:
    if text in MAKERS or E_NAME.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(f"no set is called {text!r}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help="folder of the sets")
    parser.add_argument("sets", nargs="*", type=set_name, metavar="SET", help="which ones (without any: all)")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    arguments.home.mkdir(parents=True, exist_ok=True)
    for name in arguments.sets or EVERYTHING:
        make(name, arguments.home.resolve())


if __name__ == "__main__":
    main()

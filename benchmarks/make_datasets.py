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
import logging
import os
import re
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from written_sets import JOINTS, ROBOT, TASKS, features, write_set, write_v21

HERE = Path(__file__).resolve().parent
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("SVT_LOG", "1")  # errors only
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")

DEFAULT_HOME = HERE.parent / "outputs" / "benchmarks"
LENGTHS = {
    "A": [64, 76, 58, 70, 66, 72, 55, 57, 78, 74, 68, 60, 61, 70, 62],
    "B": [100, 100, 95, 100, 100, 99, 99, 76, 77, 90],
    "C0": [150] * 10,
}


class Scene:
    """Images that cost an encoder about what a real desk does: texture, motion, sensor noise."""

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

    def draw(self, frame: int) -> np.ndarray:
        """The image of one moment: an arm moves in front of the desk, a cube lies on it."""
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
                row[f"observation.images.{camera}"] = scene.draw(frame)
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

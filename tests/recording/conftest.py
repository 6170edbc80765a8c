"""A session on emulated arms, driven through a pseudo-terminal or line by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.feetech_bus import write_calibration
from tests.support.project import environment
from tests.support.servos import Servos
from tests.support.talking import Talk

PROGRAM = Path(sys.executable).parent / "lerobot-grasp-record"


class Rig(Talk):
    """Two emulated arms, a folder, and the command's process."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.root = folder / "picks"
        self.leader = Servos("sway")
        self.follower = Servos()
        write_calibration(folder / "calibration" / "arm.json")

    def flags(self, *more: str) -> list[str]:
        calibration = f"--{{}}.calibration_dir={self.folder / 'calibration'}"
        camera = "{front: {type: grasp_test, width: 64, height: 48, fps: 30}}"
        return [
            "--robot.discover_packages_path=tests.support.grasp_test_camera",
            "--robot.type=so101_follower",
            f"--robot.port={self.follower.port}",
            "--robot.id=arm",
            "--robot.num_read_retries=20",
            calibration.format("robot"),
            f"--robot.cameras={camera}",
            "--teleop.type=so101_leader",
            f"--teleop.port={self.leader.port}",
            "--teleop.id=arm",
            "--teleop.num_read_retries=20",
            calibration.format("teleop"),
            "--dataset.repo_id=lab/picks",
            f"--dataset.root={self.root}",
            "--dataset.no_stamp=true",
            "--dataset.single_task=pick the cube",
            "--dataset.fps=20",
            "--dataset.reset_time_s=0",
            "--dataset.push_to_hub=false",
            "--play_sounds=false",
            *more,
        ]

    def start(self, *more: str, terminal: bool = True, forked: bool = True) -> None:
        """Starts the command; see ``Talk.begin``."""
        variables = environment()
        variables.pop("DISPLAY", None)
        self.begin([PROGRAM, *self.flags(*more)], variables, terminal=terminal, forked=forked)

    def close(self) -> None:
        self.kill()
        self.leader.unplug()
        self.follower.unplug()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def rewards() -> Callable[[Path], list[list[float]]]:
    """Recorded next.reward, a list an episode."""

    def read(root: Path) -> list[list[float]]:
        import pyarrow.dataset

        files = sorted(str(path) for path in (root / "data").rglob("*.parquet"))
        table = pyarrow.dataset.dataset(files).to_table(columns=["episode_index", "next.reward", "next.done"])
        episodes: list[list[float]] = []
        for row in table.to_pylist():
            while len(episodes) <= row["episode_index"]:
                episodes.append([])
            episodes[row["episode_index"]].append(row["next.reward"])
        return episodes

    return read

"""A session on emulated arms, driven through a pseudo-terminal or line by line."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from feetech_bus import FeetechBus, sway, write_calibration

HERE = Path(__file__).parent


PROGRAM = Path(sys.executable).parent / "lerobot-grasp-record"


class Rig:
    """Two emulated arms, a folder, and the command's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "picks"
        self.leader = FeetechBus(sway)
        self.follower = FeetechBus()
        write_calibration(folder / "calibration" / "arm.json")
        self.process: subprocess.Popen[bytes] | None = None
        self.terminal = -1
        self.output = ""

    def flags(self, *more: str) -> list[str]:
        calibration = f"--{{}}.calibration_dir={self.folder / 'calibration'}"
        camera = "{front: {type: grasp_test, width: 64, height: 48, fps: 30}}"
        return [
            "--robot.discover_packages_path=grasp_test_camera",
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

    def start(self, *more: str, terminal: bool = True) -> None:
        """Starts the command on a terminal of its own, or with a pipe for keys."""
        master, slave = pty.openpty() if terminal else os.pipe()[::-1]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent)))}
        environment.pop("DISPLAY", None)
        self.process = subprocess.Popen(
            [PROGRAM, *self.flags(*more)],
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        os.close(slave)
        self.terminal = master
        self.output = ""
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def send(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def expect(self, text: str, seconds: float = 240) -> None:
        """Waits until the command has printed a text that it had not before."""
        give_up = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < give_up, f"no {text!r} in:\n{self.printed()}"
            ended = self.process.poll() is not None
            self._read()
            assert text in self.output or not ended, f"ended without {text!r}:\n{self.printed()}"
            time.sleep(0.01)
        self.output = self.output.split(text, 1)[1]

    def finish(self, seconds: float = 240) -> tuple[int, str]:
        """Waits for the end; the exit code and what was printed since the last text expected."""
        self.process.wait(timeout=seconds)
        self._read()
        self.hang_up()
        return self.process.returncode, self.output

    def hang_up(self) -> None:
        """Ends what the command reads its keys from."""
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1

    def _read(self) -> None:
        data = self.process.stdout.read()
        if data:
            self.output += data.decode(errors="replace")

    def printed(self) -> str:
        self._read()
        return self.output

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()
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

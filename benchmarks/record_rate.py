"""Frame periods of lerobot-record and of lerobot-grasp-record on the same emulated arms.

Run from the project's folder: ``python benchmarks/record_rate.py --seconds 20 --rounds 3``. Both record
with LeRobot's own loop; the periods are those between two writes of goal positions to the follower, so
each is measured at the bus, outside the recording process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RECORDING_TESTS = Path(__file__).parents[1] / "tests/recording"
sys.path.insert(0, str(RECORDING_TESTS.parent))

from feetech_bus import GOAL_POSITION, SYNC_WRITE, FeetechBus, sway, write_calibration  # noqa: E402

LABELLED = ["--grasp.ask=false", "--grasp.relabel=never", "--grasp.hooks=[{type: gripper_events}]"]


class WatchedBus(FeetechBus):
    """Notes when goals are written."""

    def __init__(self) -> None:
        self.goals: list[float] = []
        super().__init__()

    def _answer(self, packet: bytes) -> bytes:
        if packet[4] == SYNC_WRITE and packet[5] == GOAL_POSITION:
            self.goals.append(time.perf_counter())
        return super()._answer(packet)


def periods(program: str, folder: Path, seconds: float, fps: int, *more: str) -> np.ndarray:
    leader, follower = FeetechBus(sway), WatchedBus()
    write_calibration(folder / "calibration/arm.json")
    arms = []
    for role, bus, kind in (("robot", follower, "follower"), ("teleop", leader, "leader")):
        arms += [f"--{role}.type=so101_{kind}", f"--{role}.port={bus.port}", f"--{role}.id=arm"]
        arms += [f"--{role}.calibration_dir={folder / 'calibration'}"]
    flags = [
        "--robot.discover_packages_path=grasp_test_camera",
        *arms,
        "--robot.cameras={front: {type: grasp_test, width: 320, height: 240, fps: 30}}",
        "--dataset.repo_id=bench/rate",
        f"--dataset.root={folder / 'dataset'}",
        "--dataset.single_task=bench",
        f"--dataset.fps={fps}",
        f"--dataset.episode_time_s={seconds}",
        "--dataset.reset_time_s=0",
        "--dataset.num_episodes=1",
        "--dataset.push_to_hub=false",
        "--play_sounds=false",
        *more,
    ]
    folders = os.pathsep.join(map(str, (RECORDING_TESTS, RECORDING_TESTS.parent)))
    environment = {**os.environ, "PYTHONPATH": folders}
    command = [str(Path(sys.executable).parent / program), *flags]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    leader.unplug()
    follower.unplug()
    if done.returncode:
        raise SystemExit(f"{program} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return np.diff(follower.goals)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fps", type=int, default=30)
    arguments = parser.parse_args()
    found: dict[str, list[np.ndarray]] = {"lerobot-record": [], "lerobot-grasp-record": []}
    for _ in range(arguments.rounds):
        for program, rounds in found.items():
            more = LABELLED if program == "lerobot-grasp-record" else []
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(periods(program, Path(folder), arguments.seconds, arguments.fps, *more))
    means = {}
    for program, rounds in found.items():
        own = 1000 * np.concatenate(rounds)
        means[program] = own.mean()
        print(
            f"{program}: {len(own)} periods, mean {own.mean():.3f} ms, median {np.median(own):.3f} ms, "
            f"p99 {np.quantile(own, 0.99):.3f} ms, longest {own.max():.3f} ms"
        )
    print(f"mean period: {100 * (means['lerobot-grasp-record'] / means['lerobot-record'] - 1):+.2f} %")


if __name__ == "__main__":
    main()

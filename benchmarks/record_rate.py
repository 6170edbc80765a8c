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

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import feetech_bus  # found through the path above
from tests.support.project import environment

LABELLED = ["--grasp.ask=false", "--grasp.relabel=never"]
START_S = 120  # at the most, to load LeRobot, connect, and save


class WatchedBus(feetech_bus.FeetechBus):
    """Notes when goals are written."""

    def __init__(self) -> None:
        self.goals: list[float] = []
        super().__init__()

    def _answer(self, packet: bytes) -> bytes:
        if packet[4] == feetech_bus.SYNC_WRITE and packet[5] == feetech_bus.GOAL_POSITION:
            self.goals.append(time.perf_counter())
        return super()._answer(packet)


def periods(program: str, folder: Path, seconds: float, fps: int, *more: str) -> np.ndarray:
    leader, follower = feetech_bus.FeetechBus(feetech_bus.sway), WatchedBus()
    feetech_bus.write_calibration(folder / "calibration/arm.json")
    arms = []
    for role, bus, kind in (("robot", follower, "follower"), ("teleop", leader, "leader")):
        arms += [f"--{role}.type=so101_{kind}", f"--{role}.port={bus.port}", f"--{role}.id=arm"]
        arms += [f"--{role}.calibration_dir={folder / 'calibration'}"]
    flags = [
        "--robot.discover_packages_path=tests.support.grasp_test_camera",
        "--robot.num_read_retries=20",
        "--teleop.num_read_retries=20",
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
    command = [str(Path(sys.executable).parent / program), *flags]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment(),
            timeout=seconds + START_S,
        )
    except subprocess.TimeoutExpired as error:
        raise SystemExit(f"{program} did not end:\n{(error.stdout or b'')[-2000:].decode()}") from None
    finally:
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
    parser.add_argument("--hooks", default="[{type: gripper_events}]", help="as --grasp.hooks")
    arguments = parser.parse_args()
    found: dict[str, list[np.ndarray]] = {"lerobot-record": [], "lerobot-grasp-record": []}
    labelled = [*LABELLED, f"--grasp.hooks={arguments.hooks}"]
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    for _ in range(arguments.rounds):
        for program, rounds in found.items():
            more = labelled if program == "lerobot-grasp-record" else []
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(periods(program, Path(folder), arguments.seconds, arguments.fps, *more))
            print(f"{program}: {described(rounds[-1])}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}; all rounds:")
    for program, rounds in found.items():
        print(f"{program}: {described(np.concatenate(rounds))}")
    plain, own = (np.concatenate(rounds).mean() for rounds in found.values())
    print(f"mean period: {100 * (own / plain - 1):+.2f} %")
    if abs(own / plain - 1) > 0.02:
        raise SystemExit("the loop does not keep its rate: more than 2 % apart")


def described(seconds: np.ndarray) -> str:
    own = 1000 * seconds
    return (
        f"{len(own)} periods, mean {own.mean():.3f} ms, median {np.median(own):.3f} ms, "
        f"p99 {np.quantile(own, 0.99):.3f} ms, longest {own.max():.3f} ms"
    )


if __name__ == "__main__":
    main()

"""One session on the simulated arm, as a person would have it: 15 grasps, 10 failures, marked and corrected.

Run from the project's folder: ``python benchmarks/judged_session.py``. Keys go through a pseudo-terminal
to one ``lerobot-grasp-record``: success is marked live, 0.2 to 0.4 s after it is seen, and corrected
afterwards, at once, in a later dialogue, or in the annotation file. What was recorded is merged as both
datasets of ``configs/`` are, verified, and read with LeRobot; labels are compared with the physics, frame
by frame, as they were marked and as they are in the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import watched_session as watched  # found through the path above

GRASPS, FAILURES = 15, ("miss", "air", "drop", "miss", "air", "miss", "air", "drop", "drop", "miss")
OFFLINE_FAILURES = (2, 7, 8)  # those in which the cube was held for a while


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--output_dir", type=Path, default=Path("outputs/judged_session"))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder: Path = arguments.output_dir.absolute()
    if folder.exists():
        raise SystemExit(f"{folder} exists already")
    folder.mkdir(parents=True)
    outcomes = ",".join([f"success*{GRASPS}", *FAILURES])
    plan = watched.Plan(folder / "session", outcomes, GRASPS + len(FAILURES), seed=arguments.seed)
    person = watched.Person(plan)
    started = time.monotonic()
    try:
        print(person.record())
    finally:
        person.kill()
    print(f"{plan.episodes} episodes in {time.monotonic() - started:.0f} s; corrected: {person.corrected}")

    truth = watched.true_success(plan.root)
    check_outcomes(truth)
    figures = {
        "as marked live, lag taken off": watched.said_in_sidecar(plan.root, "marked"),
        "gripper_events suggested": watched.said_in_sidecar(plan.root, "gripper_events"),
        "as corrected, in the dataset": watched.recorded_success(plan.root),
    }
    for name, labels in figures.items():
        print(f"{name}: {watched.agreement(labels, truth)}")

    offline = [*range(GRASPS), *(GRASPS + episode for episode in OFFLINE_FAILURES)]
    for name, episodes in (("reward", list(range(plan.episodes))), ("offline", offline)):
        root = folder / name
        call(
            "lerobot-grasp-merge",
            f"--sources=[{{root: {plan.root}, episodes: {episodes}}}]",
            f"--annotations={plan.annotations}",
            f"--new_repo_id=lab/{name}",
            f"--new_root={root}",
        )
        call("lerobot-grasp-verify", f"--root={root}")
        read_with_lerobot(root, [truth[episode] for episode in episodes])


def check_outcomes(truth: dict[int, np.ndarray]) -> None:
    """The arm did what the script was asked for."""
    for episode, success in truth.items():
        outcome = "success" if episode < GRASPS else FAILURES[episode - GRASPS]
        expected = {"success": (True, True), "drop": (True, False)}.get(outcome, (False, False))
        if (bool(success.any()), bool(success[-1])) != expected:
            raise SystemExit(f"episode {episode} was to be {outcome}, and the physics say otherwise")


def read_with_lerobot(root: Path, truth: list[np.ndarray]) -> None:
    """Every item, with its image, and its label against the physics."""
    from lerobot.datasets import LeRobotDataset

    dataset = LeRobotDataset(f"lab/{root.name}", root=root, video_backend="pyav")
    expected = np.concatenate(truth)
    rewards = [float(dataset[index]["next.reward"]) for index in range(len(dataset))]
    if rewards != expected.astype(float).tolist():
        raise SystemExit(f"{root.name}: LeRobot reads other labels than the physics say")
    print(
        f"{root.name}: LeRobot reads {dataset.num_episodes} episodes, {len(dataset)} items, "
        f"{int(sum(rewards))} success, all as the physics say"
    )


def call(program: str, *flags: str) -> None:
    done = subprocess.run([Path(sys.executable).parent / program, *flags], capture_output=True, text=True)
    print(done.stdout)
    if done.returncode:
        raise SystemExit(f"{program} ended with {done.returncode}:\n{done.stderr}")


if __name__ == "__main__":
    main()

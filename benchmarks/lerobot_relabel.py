"""What compare.py measures as LeRobot's way to new rewards: remove_feature, then add_features.

LeRobot's command line can remove a feature but not add one, so this is the shortest program that does both.

    python benchmarks/lerobot_relabel.py --root DATASET --annotations FILE --removed DIR --output DIR
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
from lerobot.datasets import LeRobotDataset, add_features, remove_feature


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("root", "annotations", "removed", "output"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    arguments = parser.parse_args()

    dataset = LeRobotDataset("bench/source", root=arguments.root)
    reward = np.zeros(dataset.meta.total_frames, dtype=np.float32)
    starts = dataset.meta.episodes["dataset_from_index"]
    for line in arguments.annotations.read_text().splitlines():
        if line.startswith("#"):
            continue
        episode, ranges = line.split(":")
        for first, last in re.findall(r"(\d+)-(\d+)", ranges):  # from 1, both ends inclusive
            start = starts[int(episode)]
            reward[start + int(first) - 1 : start + int(last)] = 1.0

    removed = remove_feature(dataset, "next.reward", output_dir=arguments.removed, repo_id="bench/removed")
    feature = {"dtype": "float32", "shape": (1,), "names": None}
    values = {"next.reward": (reward, feature)}
    add_features(removed, values, output_dir=arguments.output, repo_id="bench/relabelled")


if __name__ == "__main__":
    main()

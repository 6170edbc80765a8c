"""A session on the simulated arm, with somebody who watches it, marks with a lag, and corrects the marks."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.sim.truth import read_truth
from tests.support.deadline import wait_until
from tests.support.grasp_test_truth import OVER, PRESS
from tests.support.project import environment
from tests.support.talking import Talk

PROGRAM = Path(sys.executable).parent / "lerobot-grasp-record"


@dataclass(frozen=True)
class Plan:
    """What is recorded.

    Attributes:
        root: The dataset's folder.
        outcomes: As ``--teleop.outcome``.
        episodes: How many.
        attempt_s: How long the script takes for one.
        fps: Frames per second.
        seed: Decides the cube's places, the script's moves, and how late the person is.
        camera: Of the wrist, width and height.
        flags: More of them.
    """

    root: Path
    outcomes: str
    episodes: int
    attempt_s: float = 4.0
    fps: int = 10
    seed: int = 1
    camera: tuple[int, int] = (320, 240)
    flags: tuple[str, ...] = ()

    @property
    def repo_id(self) -> str:
        return f"lab/{self.root.name}"

    @property
    def annotations(self) -> Path:
        return self.root.parent / f"{self.root.name}_annotations.txt"

    def command(self) -> list[str]:
        width, height = self.camera
        frames = math.ceil(self.attempt_s * self.fps)
        return [
            str(PROGRAM),
            "--grasp.discover_packages_path=tests.support.grasp_test_truth",
            "--robot.type=so101_sim",
            "--robot.realtime=true",
            f"--robot.fps={self.fps}",
            f"--robot.seed={self.seed}",
            f"--robot.cameras={{wrist: {{width: {width}, height: {height}}}}}",
            "--teleop.type=so101_script",
            f"--teleop.outcome={self.outcomes}",
            f"--teleop.attempt_s={self.attempt_s}",
            f"--teleop.seed={self.seed}",
            f"--dataset.repo_id={self.repo_id}",
            f"--dataset.root={self.root}",
            "--dataset.no_stamp=true",
            "--dataset.single_task=Grasp the cube",
            f"--dataset.fps={self.fps}",
            f"--dataset.num_episodes={self.episodes}",
            "--dataset.episode_time_s=100000",
            "--dataset.reset_time_s=2",
            "--dataset.push_to_hub=false",
            "--play_sounds=false",
            "--grasp.lag_s=0.3",
            f"--grasp.hooks=[{{type: show_truth, attempt_frames: {frames}, seed: {self.seed}}}, "
            "{type: gripper_events}]",
            *self.flags,
        ]


@dataclass
class Person(Talk):
    """Presses the key some frames after the cube was grasped or let go.

    Afterwards the person has stepped through the frames and knows the ranges. Of three episodes one is
    corrected in the annotation file while the next one is recorded, one during the dialogue about the next
    one, and one, as the last of all, at once.
    """

    plan: Plan
    corrected: dict[str, list[int]] = field(default_factory=lambda: {"at once": [], "later": [], "file": []})

    def __post_init__(self) -> None:
        super().__init__()

    def record(self) -> str:
        """The whole session; what it printed at the end.

        Raises:
            AssertionError: It did not end well.
        """
        variables = environment()
        variables.pop("DISPLAY", None)
        self.begin(self.plan.command(), variables)
        in_file: tuple[int, str] | None = None
        later: tuple[int, str] | None = None
        for episode in range(self.plan.episodes):
            self.expect(f"Recording episode {episode}\n")
            self._watch()
            seen = self.expect("[Enter] accept")
            marked = seen.rsplit(" s), ", 1)[1].split(" (", 1)[0].removeprefix("success ")
            true = seen.rsplit("show_truth suggests ", 1)[1].split("\n", 1)[0]
            if later is not None:
                self._answer(f"{later[0]}: {later[1]}", "applied after the session")
                later = None
            last = episode + 1 == self.plan.episodes
            if marked != true and (episode % 3 == 2 or last):
                self.corrected["at once"].append(episode)
                told = true if true.startswith("all") else f"success {true}"
                self._answer(true, f"Episode {episode}: {told}\n")
            elif marked != true and episode % 3 == 1:
                self.corrected["later"].append(episode)
                later = (episode, true)
            elif marked != true:
                self.corrected["file"].append(episode)
                in_file = episode, true
            self.send("\n")
            self.expect(f"Episode {episode} saved")
            if in_file is not None:
                self._edit(*in_file)
                in_file = None
        if self.corrected["later"] or self.corrected["file"]:
            self.expect("[Enter] apply changes")
            self.send("\n")
        code, printed = self.finish()
        assert code == 0, printed
        return printed

    def _edit(self, episode: int, ranges: str) -> None:
        """Corrects an episode's line in the annotation file, while the session goes on."""
        text = self.plan.annotations.read_text().splitlines(keepends=True)
        start = f"{episode:02d}:"
        lines = [f"{start} {ranges}\n" if line.startswith(start) else line for line in text]
        self.plan.annotations.write_text("".join(lines))

    def _answer(self, text: str, confirmed: str) -> None:
        self.send(f"{text}\n")
        self.expect(confirmed)
        self.expect("[Enter] accept")

    def _watch(self) -> None:
        """Marks until the attempt is over, and ends the episode."""

        def is_over() -> bool:
            for line in self.lines():
                if line == PRESS:
                    self.send("s")
                elif line == OVER:
                    return True
            assert self.process.poll() is None, self.output
            return False

        wait_until(is_over, lambda: f"the attempt does not end:\n{self.printed()}")
        self.send("n")


@dataclass(frozen=True)
class Agreement:
    """Labels against what the physics say.

    Attributes:
        frames: Compared.
        wrong: Of these, frames whose label is not the truth.
        starts: For each true range that one label range touches alone, and the other way round: the label's
            first frame minus the true one.
        stops: The same of the ends, where both are inside of the episode.
        unmatched: Ranges of either side that have no such partner.
    """

    frames: int
    wrong: int
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    unmatched: int

    def __str__(self) -> str:
        share = 100 * (1 - self.wrong / self.frames)
        ends = [
            f"{name} off by {np.mean(np.abs(off)):.2f} frames on average ({min(off)} to {max(off)})"
            for name, off in (("starts", self.starts), ("ends", self.stops))
            if off
        ]
        return (
            f"{share:.2f} % of {self.frames} frames ({self.wrong} wrong); {'; '.join(ends)}; "
            f"{len(self.starts)} ranges matched, {self.unmatched} not"
        )


def agreement(labels: dict[int, np.ndarray], truth: dict[int, np.ndarray]) -> Agreement:
    """Compares success by frame, a bool array an episode."""
    assert labels.keys() == truth.keys()
    wrong = unmatched = 0
    starts: list[int] = []
    stops: list[int] = []
    for episode, true in truth.items():
        label = labels[episode]
        assert len(label) == len(true), episode
        wrong += int((label != true).sum())
        said, real = list(IntervalSet.from_mask(label)), list(IntervalSet.from_mask(true))
        pairs = [(a, b) for a in said for b in real if a.start < b.stop and b.start < a.stop]
        single = [
            (a, b)
            for a, b in pairs
            if sum(a == other for other, _ in pairs) == sum(b == other for _, other in pairs) == 1
        ]
        unmatched += len(said) + len(real) - 2 * len(single)
        starts += [a.start - b.start for a, b in single]
        stops += [a.stop - b.stop for a, b in single if not a.stop == b.stop == len(true)]
    return Agreement(sum(map(len, truth.values())), wrong, tuple(starts), tuple(stops), unmatched)


def true_success(root: Path) -> dict[int, np.ndarray]:
    """What the simulation wrote beside the dataset."""
    truth = read_truth(root.with_name(f"{root.name}_sim_truth"))
    return {
        episode: np.array([frame.grasped for frame in item.frames], dtype=np.bool_)
        for episode, item in truth.items()
    }


def said_in_sidecar(root: Path, name: str) -> dict[int, np.ndarray]:
    """Success as it was ``marked`` live, or as a hook suggested it."""
    said = {}
    for episode, record in json.loads((root / "meta/grasp_recording.json").read_text())["episodes"].items():
        mask = np.zeros(record["length"], dtype=np.bool_)
        for start, stop in record["marked"] if name == "marked" else record["hooks"][name]["suggestion"]:
            mask[start:stop] = True
        said[int(episode)] = mask
    return said


def recorded_success(root: Path) -> dict[int, np.ndarray]:
    """``next.reward`` in the table's rows."""
    import pyarrow.dataset

    files = sorted(str(path) for path in (root / "data").rglob("*.parquet"))
    table = pyarrow.dataset.dataset(files).to_table(columns=["episode_index", "index", "next.reward"])
    table = table.sort_by("index")
    episodes = np.array(table["episode_index"].to_pylist())
    reward = np.array(table["next.reward"].to_pylist(), dtype=float).reshape(-1)
    return {int(episode): reward[episodes == episode] == 1 for episode in np.unique(episodes)}

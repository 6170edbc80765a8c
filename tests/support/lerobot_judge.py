"""LeRobot itself as the judge of an output: it opens, and every item is the source's item."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import factories

INDICES = ("index", "episode_index", "task_index")
LABELS = ("next.reward", "next.done", "next.success")

type Item = dict[str, Any]


def open_set(root: Path) -> Any:
    """The dataset, opened by LeRobot from its folder alone."""
    from lerobot.datasets import LeRobotDataset

    return LeRobotDataset(f"judge/{root.name}", root=root, video_backend="pyav")


@functools.lru_cache(maxsize=128)
def items_of(root: Path, episode: int) -> Sequence[Item]:
    """An episode's items, as LeRobot reads them the first time; a source does not change."""
    dataset = _opened(root)
    row = dataset.meta.episodes[episode]
    return [dataset[index] for index in range(row["dataset_from_index"], row["dataset_to_index"])]


@functools.lru_cache(maxsize=16)
def _opened(root: Path) -> Any:
    return open_set(root)


def legacy_items(root: Path, spec: factories.Legacy, episode: int) -> list[Item]:
    """What LeRobot would read from a v2.x episode, put together from its file and the factory's values."""
    import torch
    from lerobot.datasets.video_utils import decode_video_frames

    length = spec.lengths[episode]
    stamps = [frame / spec.fps for frame in range(length)]
    decoded = {}
    for key in spec.cameras:
        places = {"episode_chunk": episode // spec.chunks_size, "episode_index": episode, "video_key": key}
        path = root / (spec.video_path or factories.LEGACY_VIDEO).format(**places)
        decoded[key] = decode_video_frames(path, stamps, 1e-4, backend="pyav")
    items = []
    for frame in range(length):
        item: Item = {
            "observation.state": torch.from_numpy(factories.state(spec.seed, episode, frame)),
            "action": torch.from_numpy(factories.action(spec.seed, episode, frame)),
            "frame_index": torch.tensor(frame),
            "timestamp": torch.tensor(stamps[frame], dtype=torch.float32),
            "task": spec.tasks[episode % len(spec.tasks)],
        }
        item |= {key: stack[frame] for key, stack in decoded.items()}
        for number, key in enumerate(spec.images, start=len(spec.cameras)):
            pixels = factories.image(spec.seed, episode, frame, number)
            item[key] = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
        if spec.labels:
            item["next.reward"] = torch.tensor(float(frame == length - 1))
            item["next.done"] = torch.tensor(frame == length - 1)
        items.append(item)
    return items


def assert_items(
    output: Path,
    wanted: Sequence[Sequence[Item]],
    *,
    labels: Sequence[Mapping[str, Sequence[Any]]] | None = None,
    rename: Mapping[str, str] | None = None,
    dropped: Sequence[str] = (),
    tasks: Sequence[str] | None = None,
) -> None:
    """Every item of the output is the one that is wanted.

    Args:
        output: The dataset to judge.
        wanted: The source's items of each output episode.
        labels: Label columns of each output episode; None where they are the source's.
        rename: Source name -> output name.
        dropped: Source names that must be gone.
        tasks: The task of each output episode, where it is not the source's.
    """
    import torch

    dataset = open_set(output)
    lengths = [len(items) for items in wanted]
    assert dataset.num_episodes == len(wanted)
    assert [row["length"] for row in dataset.meta.episodes] == lengths
    assert len(dataset) == sum(lengths)
    position = 0
    for episode, items in enumerate(wanted):
        for frame, source in enumerate(items):
            item = dataset[position]
            place = f"episode {episode}, frame {frame}"
            assert (int(item["index"]), int(item["episode_index"])) == (position, episode), place
            assert int(item["frame_index"]) == frame, place
            assert abs(float(item["timestamp"]) - frame / dataset.fps) < 1e-4, place
            assert item["task"] == (tasks[episode] if tasks else source["task"]), place
            if labels is not None:
                for name, column in labels[episode].items():
                    assert item[name].shape == (), place
                    assert item[name] == column[frame], (place, name)
            expected = {(rename or {}).get(name, name): value for name, value in source.items()}
            skipped = {*INDICES, "frame_index", "timestamp", "task", *dropped}
            skipped |= set(LABELS) if labels is not None else set()
            for name, value in expected.items():
                if name in skipped:
                    continue
                same = torch.equal(item[name], value) if torch.is_tensor(value) else item[name] == value
                assert same, (place, name)
            unknown = set(item) - set(expected) - set(LABELS) - set(INDICES)
            assert not unknown, unknown
            assert not set(dropped) & set(item)
            position += 1


def label_columns(
    success: Sequence[int],
    length: int,
    *,
    alignment: str = "frame",
    done: str = "episode_end",
    values: tuple[float, float] = (0.0, 1.0),
    kept: Sequence[bool] | None = None,
) -> dict[str, list[Any]]:
    """The label columns of an episode, row by row, by the words of the design."""
    flags = []
    for row in range(length):
        looked_at = min(row + 1, length - 1) if alignment == "next" else row
        flags.append(looked_at in success)
    dones = [row == length - 1 for row in range(length)]
    hits = [row for row in range(length) if flags[row]]
    if done == "keep":
        assert kept is not None
        dones = list(kept)
    elif done == "first_success" and hits:
        dones[hits[0]] = True
    elif done == "last_frame_of_success" and hits:
        dones[hits[-1]] = True
    rewards = [float(np.float32(values[1] if flag else values[0])) for flag in flags]
    return {"next.reward": rewards, "next.done": dones, "next.success": flags}


def without_success(labels: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    return {name: column for name, column in labels.items() if name != "next.success"}


def leftovers(folder: Path) -> Iterator[Path]:
    """Staging folders and backups."""
    for path in folder.rglob("*"):
        if "grasp-staging" in path.name or ".backup-" in path.name:
            yield path

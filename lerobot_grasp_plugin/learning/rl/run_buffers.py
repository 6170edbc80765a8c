"""Saves the replay buffers of a run to one file, completely or not at all, and loads them.

LeRobot writes them as datasets at every checkpoint, an image at a time, and the learner waits: 4 minutes
for images of 64 x 64 pixels on a busy machine. A kill meanwhile leaves none, and a resumed run does not know
which episodes were truncated. Here the tensors are copied into an uncompressed archive that ``numpy.load``
opens, which takes 5 s for 26,000 transitions.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from lerobot.rl.buffer import ReplayBuffer

from lerobot_grasp_plugin.core.run_files import BUFFERS
from lerobot_grasp_plugin.findings.problem import DataError, Problem
from lerobot_grasp_plugin.writers.whole import writing_whole

ONLINE: Final = "online"
OFFLINE: Final = "offline"

_ROWS: Final = 1024
"""Transitions that are copied at a time."""
_IMAGES: Final = "states/observation.image"
_LEVELS: Final = 255


class SavedElsewhere:
    """Passed to LeRobot's ``save_training_checkpoint`` in place of a buffer: it is saved here."""

    def to_lerobot_dataset(self, *args: Any, **settings: Any) -> None:
        """Nothing is written."""


def save_with_buffers(
    save: Callable[..., Any], *, replay_buffer: Any, offline_replay_buffer: Any = None, **arguments: Any
) -> None:
    """LeRobot's ``save_training_checkpoint``, with the buffers saved by this module.

    Args:
        save: LeRobot's function.
        replay_buffer: The online buffer.
        offline_replay_buffer: The buffer of demonstrations and interventions; None for none.
        arguments: The other arguments of LeRobot's function.
    """
    buffers = {ONLINE: replay_buffer}
    if offline_replay_buffer is not None:
        buffers[OFFLINE] = offline_replay_buffer
    save_buffers(Path(arguments["cfg"].output_dir) / BUFFERS, buffers)
    save(replay_buffer=SavedElsewhere(), **arguments)


def save_buffers(path: Path, buffers: Mapping[str, ReplayBuffer]) -> None:
    """Write buffers to a file, oldest transition first; what is there stays until the new file is complete.

    Images that are n / 255 in every pixel are written as uint8.

    Args:
        path: Of the file.
        buffers: By name.
    """
    for torn in path.parent.glob(f".{path.name}.*"):
        torn.unlink()
    with writing_whole(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, buffer in buffers.items():
            for key, tensor in _tensors(buffer).items():
                _write(archive, f"{name}/{key}.npy", tensor, buffer.position, buffer.size)


def load_buffer(path: Path, name: str, buffer: ReplayBuffer) -> None:
    """Fill an empty buffer with what ``save_buffers`` wrote; the newest transitions where not all fit.

    Args:
        path: Of the file.
        name: Of the buffer in the file.
        buffer: LeRobot's, with its ``state_keys``; changed in place.

    Raises:
        DataError: The file cannot be read, or lacks what the buffer needs.
    """
    try:
        with np.load(path) as saved:
            keys = [key for key in saved.files if key.startswith(f"{name}/")]
            arrays = {key.removeprefix(f"{name}/"): saved[key] for key in keys}
        states = {key: _tensor(arrays[f"states/{key}"]) for key in buffer.state_keys}
        rows = len(arrays["rewards"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        hint = f"copy the whole folder of the run, or remove {path.name} to start from the dataset"
        raise DataError(Problem("bad-replay-buffer", f"cannot be read: {error}", path, hint)) from None
    kept = slice(max(0, rows - buffer.capacity), rows)
    info = {
        key.removeprefix("info/"): _tensor(value) for key, value in arrays.items() if key.startswith("info/")
    }
    if rows:
        buffer._initialize_storage(
            state={key: value[:1] for key, value in states.items()},
            action=_tensor(arrays["actions"])[:1],
            complementary_info={key: value[:1] for key, value in info.items()} or None,
        )
    buffer.size = kept.stop - kept.start
    buffer.position = buffer.size % buffer.capacity
    for key, tensor in _tensors(buffer).items() if rows else ():
        tensor[: buffer.size] = _tensor(arrays[key])[kept]


def initialized(
    initialize: Callable[..., Any], name: str, path: Path, cfg: Any, device: str, storage_device: str
) -> Any:
    """LeRobot's ``initialize_replay_buffer`` or ``initialize_offline_replay_buffer``, from the file of a run.

    Args:
        initialize: LeRobot's function, which is called where there is no such file.
        name: ``ONLINE`` or ``OFFLINE``.
        path: Of the file.
        cfg: The learner's.
        device: Of the batches.
        storage_device: Of the transitions.

    Raises:
        DataError: The file cannot be read, or lacks what the buffer needs.
    """
    if not (cfg.resume and path.is_file()):
        return initialize(cfg, device, storage_device)
    policy = cfg.policy
    buffer = ReplayBuffer(
        capacity=policy.online_buffer_capacity if name == ONLINE else policy.offline_buffer_capacity,
        device=device,
        state_keys=policy.input_features.keys(),
        storage_device=storage_device,
        optimize_memory=True,
    )
    load_buffer(path, name, buffer)
    return buffer


def _tensors(buffer: ReplayBuffer) -> dict[str, torch.Tensor]:
    return {
        **{f"states/{key}": value for key, value in buffer.states.items()},
        "actions": buffer.actions,
        "rewards": buffer.rewards,
        "dones": buffer.dones,
        "truncateds": buffer.truncateds,
        **{f"info/{key}": value for key, value in buffer.complementary_info.items()},
    }


def _write(archive: zipfile.ZipFile, name: str, tensor: torch.Tensor, position: int, size: int) -> None:
    full = size == len(tensor)
    parts = [slice(position, size), slice(0, position)] if full else [slice(0, size)]
    chunks = [
        slice(start, min(start + _ROWS, part.stop))
        for part in parts
        for start in range(part.start, part.stop, _ROWS)
    ]
    as_bytes = _IMAGES in name and all(_is_of_levels(tensor[chunk]) for chunk in chunks)
    dtype = np.dtype(np.uint8) if as_bytes else tensor[:0].numpy().dtype
    header = {"descr": dtype.str, "fortran_order": False, "shape": (size, *tensor.shape[1:])}
    with archive.open(name, "w", force_zip64=True) as file:
        np.lib.format.write_array_header_2_0(file, header)  # type: ignore[no-untyped-call]  # numpy has no type
        for rows in _rows(tensor, chunks):
            values = torch.round(rows * _LEVELS) if as_bytes else rows
            file.write(np.ascontiguousarray(values.numpy(), dtype=dtype).tobytes())


def _rows(tensor: torch.Tensor, chunks: list[slice]) -> Iterator[torch.Tensor]:
    for chunk in chunks:
        yield tensor[chunk].cpu()


def _is_of_levels(images: torch.Tensor) -> bool:
    return torch.equal(torch.round(images * _LEVELS) / _LEVELS, images)


def _tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    return tensor / _LEVELS if tensor.dtype == torch.uint8 else tensor

"""LeRobot's replay buffer, filled with a ``GraspDataset`` in one pass.

``ReplayBuffer.from_lerobot_dataset`` reads every item about twice, makes a list of all transitions, and
copies it into the buffer. Here each image is decoded once, into the buffer's own memory. What comes
out is the same.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, Final

import torch
from lerobot.utils.constants import ACTION, DONE, REWARD
from tqdm import tqdm

from lerobot_grasp_plugin.dataset.layout import EPISODE_INDEX
from lerobot_grasp_plugin.findings.problem import VideoError
from lerobot_grasp_plugin.learning.data.blocks import ReadAhead, readable
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.lerobot_seams.access import current, replace, require

MODULE: Final = "lerobot.rl.buffer"
PATH: Final = "ReplayBuffer.from_lerobot_dataset"
_INFO: Final = "complementary_info."


def install_offline_buffer() -> None:
    """Lets LeRobot's ``ReplayBuffer``, if it is loaded, fill itself this way; once is enough.

    Raises:
        SeamError: The installed lerobot does not have what is filled.
    """
    if MODULE not in sys.modules:
        return
    require("replay buffer")
    bound = current(MODULE, PATH)
    if hasattr(bound, "__wrapped__"):
        return
    stock = bound.__func__
    signature = inspect.signature(stock)

    @functools.wraps(stock)
    def from_lerobot_dataset(cls: Any, *args: Any, **kwargs: Any) -> Any:
        given = signature.bind(cls, *args, **kwargs)
        given.apply_defaults()
        buffer = _filled(**given.arguments)
        return stock(cls, *args, **kwargs) if buffer is None else buffer

    replace(MODULE, PATH, classmethod(from_lerobot_dataset))


def _filled(
    cls: Any,
    lerobot_dataset: Any,
    state_keys: Any,
    capacity: int | None,
    storage_device: str,
    optimize_memory: bool,
    **options: Any,
) -> Any | None:
    """The buffer, or None where LeRobot has to do it, or to say what is wrong."""
    frames = len(lerobot_dataset)
    capacity = frames if capacity is None else capacity
    if (
        type(lerobot_dataset) is not GraspDataset
        or not readable(lerobot_dataset.reader)
        or state_keys is None
        or not 0 < frames == len(lerobot_dataset.reader.hf_dataset) <= capacity
        or torch.device(storage_device).type != "cpu"
    ):
        return None
    first = lerobot_dataset[0]
    info = [key for key in first if key.startswith(_INFO)]
    needed = [*state_keys, ACTION, REWARD, DONE, *info]
    if not all(isinstance(first.get(key), torch.Tensor) for key in needed):
        return None
    if first[REWARD].numel() != 1 or first[DONE].numel() != 1:
        return None
    buffer = cls(
        capacity=capacity,
        state_keys=state_keys,
        storage_device=storage_device,
        optimize_memory=optimize_memory,
        **options,
    )
    buffer._initialize_storage(
        state={key: first[key].unsqueeze(0) for key in state_keys},
        action=first[ACTION].unsqueeze(0),
        complementary_info={key.removeprefix(_INFO): first[key].unsqueeze(0) for key in info} or None,
    )
    places = {
        **buffer.states,
        ACTION: buffer.actions,
        REWARD: buffer.rewards,
        DONE: buffer.dones,
        EPISODE_INDEX: (episodes := torch.empty(frames, dtype=torch.int64)),
        **{key: buffer.complementary_info[key.removeprefix(_INFO)] for key in info},
    }
    try:
        if not _fill(places, lerobot_dataset):
            return None
    except VideoError:
        return None
    if not optimize_memory:
        follows = _following(places[DONE][:frames], episodes)
        for key, states in buffer.states.items():
            torch.index_select(states, 0, follows, out=buffer.next_states[key][:frames])
    buffer.truncateds[:frames] = False  # as LeRobot has it
    buffer.size, buffer.position = frames, frames % capacity
    return buffer


def _fill(places: dict[str, torch.Tensor], dataset: GraspDataset) -> bool:
    """Writes the items of a dataset, from the first on, into memory that is there.

    Args:
        places: Key of an item -> shape ``(at least the items, ...)``.
        dataset: The items.

    Returns:
        False when an item cannot be read this way.

    Raises:
        VideoError: Images cannot be decoded.
    """
    videos = {key: place for key, place in places.items() if key in dataset.meta.video_keys}
    ahead = ReadAhead(dataset.reader, dataset.preprocessing, into=videos)
    try:
        with tqdm(total=len(dataset), unit="frame") as progress:
            while (block := ahead.block()) is not None:
                rows = slice(block.first, block.stop)
                for key in places.keys() - videos.keys():
                    out = places[key][rows]
                    out.copy_(torch.stack(block.columns[key]).view(out.shape))
                block.images.result()
                progress.update(block.stop - block.first)
    finally:
        ahead.close()
    return ahead.next_item == len(dataset)


def _following(done: torch.Tensor, episode_index: torch.Tensor) -> torch.Tensor:
    """Which item follows on each, int64: the next one, or itself where its episode or its done ends it."""
    follows = torch.arange(len(done))
    follows[:-1] += ~done[:-1] & (episode_index[:-1] == episode_index[1:])
    return follows

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.findings.problem import DatasetError, UsageError
from lerobot_grasp_plugin.learning.data.splits import EpisodeSplits, class_weights, split_episodes

SHARES = {"train": 0.8, "val": 0.2}
EPISODES = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=60)


@given(EPISODES, st.integers(0, 2**32 - 1))
def test_every_episode_is_in_one_part_and_every_stratum_has_its_share(episodes, seed):
    sources, outcomes = zip(*episodes, strict=True)
    splits = split_episodes(sources, outcomes, fractions=SHARES, seed=seed)
    assert sorted([*splits.parts["train"], *splits.parts["val"]]) == list(range(len(episodes)))
    assert splits == split_episodes(sources, outcomes, fractions=SHARES, seed=seed)
    for stratum in set(episodes):
        mine = [index for index, key in enumerate(episodes) if key == stratum]
        held_out = len(set(mine) & set(splits.parts["val"]))
        assert abs(held_out - 0.2 * len(mine)) < 1
    assert abs(len(splits.parts["val"]) - 0.2 * len(episodes)) <= 1
    assert EpisodeSplits.from_json(splits.to_json()) == splits


def test_the_seed_matters():
    drawn = {
        split_episodes([0] * 30, [True] * 30, fractions=SHARES, seed=seed).parts["val"] for seed in range(5)
    }
    assert len(drawn) == 5


@pytest.mark.parametrize(
    "fractions", [{}, {"train": 0.8}, {"train": 1.2, "val": -0.2}, {"train": 1, "val": 0}]
)
def test_what_is_no_share_is_refused(fractions):
    with pytest.raises(UsageError):
        split_episodes([0], [True], fractions=fractions, seed=0)


def test_an_unknown_part_is_named():
    with pytest.raises(UsageError, match="train, val"):
        EpisodeSplits(0, {"train": (0,), "val": (1,)}).part("test")


def test_weights_make_both_classes_count_the_same():
    rewards = torch.tensor([1.0] * 3 + [0.0] * 9)
    weights = class_weights(rewards)
    assert torch.allclose(weights * torch.tensor([9.0, 3.0]), torch.tensor([6.0, 6.0]))
    with pytest.raises(DatasetError, match="0 success"):
        class_weights([0.0, 0.0])

"""Statistics, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.stats import (
    QUANTILES,
    STATISTICS,
    combine,
    differing,
    episode_stats,
    median,
    quantiles_of,
)


def by_numpy(part: np.ndarray) -> dict[str, np.ndarray]:
    wide = part.astype(np.float64)
    stats = {"min": wide.min(0), "max": wide.max(0), "mean": wide.mean(0), "std": wide.std(0)}
    stats["count"] = np.array([len(part)])
    return stats | {name: np.quantile(wide, share, axis=0) for name, share in QUANTILES.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "int8", "bool"])
@pytest.mark.parametrize("lengths", [[1], [5], [4, 4, 4], [1, 7, 7, 2, 7, 1], [300, 299]])
def test_episodes(dtype: str, lengths: list[int]) -> None:
    values: np.ndarray = np.random.default_rng(3).normal(0, 60, (sum(lengths), 3))
    values = (values > 0) if dtype == "bool" else np.clip(values, -100, 100).astype(dtype)
    stats = episode_stats(values, lengths)
    assert tuple(sorted(stats)) == tuple(sorted(STATISTICS))
    start = 0
    for episode, length in enumerate(lengths):
        for name, wanted in by_numpy(values[start : start + length]).items():
            assert np.allclose(stats[name][episode], wanted, rtol=1e-12, atol=1e-12), name
        start += length
    assert stats["count"].tolist() == [[length] for length in lengths]


def test_large_integers_and_offsets_keep_their_precision() -> None:
    values = np.arange(1_000_000_000, 1_000_000_100, dtype=np.int64)[:, None]
    stats = episode_stats(values, [100])
    assert stats["std"][0, 0] == pytest.approx(np.arange(100).std(), rel=1e-9)
    assert stats["q50"][0, 0] == 1_000_000_049.5


def test_the_reward_of_a_mostly_failed_episode() -> None:
    """The median of a mostly-zero reward is zero: LeRobot's histogram says otherwise."""
    values = np.zeros((50, 1), np.float32)
    values[-3:] = 1
    stats = episode_stats(values, [50])
    assert stats["q50"].tolist() == [[0.0]]
    assert stats["q90"].tolist() == [[0.0]]
    assert stats["q99"].tolist() == [[1.0]]


def test_nan_stays_visible_in_its_own_dimension_and_episode() -> None:
    values = np.ones((6, 2))
    values[4, 1] = np.nan
    stats = episode_stats(values, [3, 3])
    for name in ("min", "max", "mean", "std", *QUANTILES):
        assert np.isnan(stats[name]).tolist() == [[False, False], [False, True]], name


def test_input_is_not_changed() -> None:
    values = np.random.default_rng(0).normal(size=(20, 2))
    before = values.copy()
    values.setflags(write=False)
    episode_stats(values, [7, 13])
    assert np.array_equal(values, before)


def test_combining_episodes_is_exact_for_what_can_be() -> None:
    values = np.random.default_rng(5).normal(2, 9, (60, 3))
    whole = combine(episode_stats(values, [10, 1, 30, 19]))
    wanted = by_numpy(values)
    for name in ("min", "max", "mean", "std", "count"):
        assert np.allclose(whole[name], wanted[name], rtol=1e-12), name
    assert whole["count"].dtype == np.int64


def test_combining_as_lerobot_does() -> None:
    from lerobot.datasets.compute_stats import aggregate_stats

    values = np.random.default_rng(6).normal(0, 1, (40, 2))
    stats = episode_stats(values, [4, 16, 20])
    listed = [{"x": {name: array[episode] for name, array in stats.items()}} for episode in range(3)]
    wanted = aggregate_stats(listed)["x"]
    own = combine(stats)
    assert set(own) == set(wanted)
    for name in ("min", "max", "mean", "std", "count"):
        assert np.allclose(own[name], wanted[name], rtol=1e-13), name


def test_combined_quantiles_are_bounds() -> None:
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(mean, 3, (400, 2)) for mean in (-50, 0, 10, 300)])
    own, true = combine(episode_stats(values, [400] * 4)), by_numpy(values)
    for name in ("q01", "q10"):
        assert (own[name] <= true[name]).all(), name
    for name in ("q90", "q99"):
        assert (own[name] >= true[name]).all(), name


def test_the_combined_median_is_the_mean_of_the_episodes() -> None:
    stats = {"count": np.array([[1], [3]]), "q50": np.array([[0.0], [4.0]])}
    stats |= {name: np.zeros((2, 1)) for name in ("min", "max", "mean", "std")}
    assert combine(stats)["q50"].tolist() == [3.0]


NUMBERS = {
    "float32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "float64": st.floats(-1e300, 1e300),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint8": st.integers(0, 255),
    "bool": st.booleans(),
}


@pytest.mark.parametrize("dtype", NUMBERS)
@settings(deadline=None)
@given(data=st.data())
def test_quantiles_are_those_of_numpy(dtype: str, data: st.DataObject) -> None:
    values = np.array(data.draw(st.lists(NUMBERS[dtype], min_size=1, max_size=300)), dtype=dtype)
    own = quantiles_of(values.copy())
    wanted = np.quantile(values.astype(np.float64), list(QUANTILES.values()))
    assert [float(own[name]) for name in QUANTILES] == pytest.approx(wanted.tolist(), rel=1e-15, abs=0)


def test_quantiles_of_infinities_and_nan() -> None:
    values = np.array([-np.inf] * 50 + [0.0] + [np.inf] * 50)
    assert [float(value) for value in quantiles_of(values).values()] == [-np.inf, -np.inf, 0, np.inf, np.inf]
    values = np.array([[1.0, np.nan, 2.0], [1.0, 1.0, 1.0]])
    assert np.isnan(quantiles_of(values)["q50"]).tolist() == [True, False]


def test_columns_without_values() -> None:
    stats = episode_stats(np.empty((5, 0), np.float32), [2, 3])
    assert stats["q50"].shape == (2, 0)
    assert combine(stats)["mean"].shape == (0,)


@pytest.mark.parametrize(
    ("name", "value"), [("mean", 1000.0), ("std", 8.0), ("min", 0.5), ("count", 3.0), ("q99", 1e4)]
)
def test_stored_statistics_that_differ(name: str, value: float) -> None:
    values = np.random.default_rng(1).normal(0, 1, (300, 2))
    true = episode_stats(values, [100, 200])
    lengths = np.array([100, 200])
    stored = {each: array.astype(np.float64) for each, array in true.items()}
    assert not differing(stored, true, lengths)
    stored[name] = stored[name].copy()
    stored[name][1, 0] = value
    assert {each: rows[0][:2] for each, rows in differing(stored, true, lengths).items()} == {
        name: (1, value)
    }


def test_combining_without_quantiles() -> None:
    stats = episode_stats(np.ones((4, 1)), [2, 2])
    own = combine({name: stats[name] for name in ("min", "max", "mean", "std", "count", "q50")})
    assert set(own) == {"min", "max", "mean", "std", "count", "q50"}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_the_median_is_numpys(values: list[float]) -> None:
    assert median(np.array(values)) == pytest.approx(float(np.median(values)))

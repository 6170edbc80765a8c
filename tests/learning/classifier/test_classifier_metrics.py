"""Counts and ranks, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.learning.classifier.metrics import area_under_curve, confusion, suggest_threshold

FRAMES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5001, 0.9, 1.0]), st.booleans()), max_size=40
)


def arrays(frames):
    return np.array([p for p, _ in frames], np.float32), np.array([y for _, y in frames], np.bool_)


@given(FRAMES)
def test_the_area_is_the_share_of_pairs_in_the_right_order(frames):
    probability, label = arrays(frames)
    pairs = [(s, f) for s in probability[label] for f in probability[~label]]
    expected = sum((s > f) + (s == f) / 2 for s, f in pairs) / len(pairs) if pairs else None
    found = area_under_curve(probability, label)
    assert found == (expected if expected is None else pytest.approx(expected, abs=1e-12))


@given(FRAMES)
def test_no_threshold_has_a_higher_f1_than_the_suggested_one(frames):
    probability, label = arrays(frames)
    threshold = suggest_threshold(probability, label)
    if threshold is None:
        assert label.all() or not label.any()
        return
    assert 0 < threshold < 1
    candidates = [0.0, *np.unique(probability)[:-1].tolist()]
    best = max(confusion(probability, label, value).f1 for value in candidates)
    assert confusion(probability, label, threshold).f1 == pytest.approx(best)


def test_rates_by_hand():
    probability = np.array([0.9, 0.8, 0.4, 0.6, 0.5, 0.1], np.float32)
    label = np.array([True, True, True, False, False, False])
    found = confusion(probability, label, 0.5)
    assert (found.true_success, found.false_success, found.true_failure, found.false_failure) == (2, 1, 2, 1)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)


def test_rates_that_are_not_defined_are_none():
    nothing = confusion(np.zeros(3, np.float32), np.zeros(3, np.bool_), 0.5)
    assert (nothing.accuracy, nothing.precision, nothing.recall, nothing.f1) == (1.0, None, None, None)
    assert confusion(np.zeros(0, np.float32), np.zeros(0, np.bool_), 0.5).accuracy is None


def test_the_suggested_threshold_lies_in_the_middle_of_the_gap():
    probability = np.array([0.1, 0.2, 0.6, 0.9], np.float32)
    assert suggest_threshold(probability, np.array([False, False, True, True])) == pytest.approx(0.4)

"""Buffers, batches and frequencies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.preflight_faults import Faults

FAULTS = Faults()
planted = FAULTS.planted

planted("offline buffer too small", "offline-capacity", "policy/offline_buffer_capacity", 40)
planted("online buffer never starts", "online-capacity", "policy/online_buffer_capacity", 3)
planted("online_ratio of 50", "online-ratio", "online_ratio", 50)
planted("online_ratio of 1", "online-ratio", "online_ratio", 1.0, "warning")
planted("batches larger than the dataset", "batch-size", "batch_size", 256, "warning")
planted("batches of nothing", "batch-size", "batch_size", 0)
planted("learning before the first step", "online-start", "policy/online_step_before_learning", 0)
planted("no logging", "frequency", "log_freq", 0)
planted("buffers larger than any machine", "buffer-memory", "policy/online_buffer_capacity", 10**9, "warning")


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)

"""The store of rows against ``np.quantile`` of all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.core.stats import QUANTILES
from lerobot_grasp_plugin.writers import column_store
from lerobot_grasp_plugin.writers.column_store import ColumnStore


def columns(rows: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "action": rng.normal(seed, 3, (rows, 3)).astype(np.float32),
        "index": rng.integers(-(2**62), 2**62, (rows, 1)),
        "pressed": rng.random((rows, 2)) < 0.3,
        "pixels": rng.integers(0, 256, (rows, 2), dtype=np.uint8),
        "nothing": np.empty((rows, 0), np.float32),
    }


@pytest.mark.parametrize("buffer", [0, 500, 2**30])
@pytest.mark.parametrize("parts", [[1], [40, 1, 7, 300], [64] * 20])
def test_quantiles_of_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int, parts: list[int]
) -> None:
    monkeypatch.setattr(column_store, "_BUFFER_BYTES", buffer)
    added = [columns(rows, number) for number, rows in enumerate(parts)]
    with ColumnStore(tmp_path) as store:
        for part in added:
            store.add(part)
        for name in added[0]:
            values = np.concatenate([part[name] for part in added]).astype(np.float64)
            own = store.quantiles(name)
            for statistic, share in QUANTILES.items():
                wanted = np.quantile(values, share, axis=0) if values.shape[1] else np.empty(0)
                assert np.array_equal(own[statistic], wanted), (name, statistic)
    assert not list(tmp_path.iterdir())


def test_memory_is_that_of_one_value_a_row(tmp_path: Path) -> None:
    """400 MB of rows leave the process no larger than one value of each row does."""
    import tracemalloc

    rows, dims, batches = 1_000, 100, 100
    tracemalloc.start()
    with ColumnStore(tmp_path) as store:
        for seed in range(batches):
            store.add({"action": np.full((rows, dims), seed, np.float32)})
        assert store.quantiles("action")["q50"].tolist() == [49.5] * dims
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * 2**20  # the buffer of 8 MB and a batch

"""Silences messages of other libraries."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_UNEXPECTED = re.compile(r"Unexpected key\(s\) when loading model: \[(.*)\]")


def hide_progress_bars() -> None:
    """Disables the progress bars of transformers, which flash for a small encoder."""
    transformers: Any = import_module("transformers.utils.logging")
    transformers.disable_progress_bar()


@contextmanager
def shared_counters_unsaid() -> Iterator[None]:
    """Suppresses LeRobot's warning about unexpected keys if all of them are duplicate counters.

    Cameras share one encoder, so ``num_batches_tracked`` of its layers has several names in the weights.
    """
    logger = logging.getLogger()
    logger.addFilter(_matters)
    try:
        yield
    finally:
        logger.removeFilter(_matters)


def _matters(record: logging.LogRecord) -> bool:
    found = _UNEXPECTED.fullmatch(record.getMessage())
    return found is None or not all(
        key.strip("'\" ").endswith(".num_batches_tracked") for key in found[1].split(",")
    )

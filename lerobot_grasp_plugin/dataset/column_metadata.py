"""Finds parquet metadata of single columns of a table, which outputs do not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from lerobot_grasp_plugin.findings.problem import Problem


def metadata_of_columns(schema: pa.Schema) -> dict[str, list[str]]:
    """The keys of the metadata of each column, without those that every parquet file has."""
    found = {
        field.name: [
            key.decode(errors="backslashreplace")
            for key in field.metadata
            if not key.startswith((b"PARQUET:", b"ARROW:"))
        ]
        for field in schema
        if field.metadata
    }
    return {name: keys for name, keys in found.items() if keys}


def left_out(columns: Mapping[str, Sequence[str]], tables: str, where: Path) -> list[Problem]:
    """The warning that metadata of columns is not written; nothing without such metadata.

    Args:
        columns: Column -> keys of its metadata.
        tables: The name of the tables, at the start of the message.
        where: The table, or the dataset.
    """
    if not columns:
        return []
    keys = "; ".join(f"{name}: {', '.join(own)}" for name, own in columns.items())
    message = f"{tables} have parquet metadata of columns, which is left out ({keys})"
    return [Problem("metadata-left-out", message, where)]

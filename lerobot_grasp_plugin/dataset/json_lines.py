"""Reads JSON lines files of formats v2.0 and v2.1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import NOT_JSON_HINT, parse_json
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem

_MAX_LINE_BYTES = 8 * 2**20


def as_index(value: object) -> object:
    """An index that was written as a float, as the index it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON lines file, one at a time.

    Raises:
        DatasetError: The file is missing, or a line is not a JSON object or too long for metadata.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE_BYTES + 1), b""), start=1):
                where = Place(str(path), number)
                if len(line) > _MAX_LINE_BYTES:
                    message = f"the line is too long for metadata (more than {_MAX_LINE_BYTES} bytes)"
                    raise DatasetError(Problem("bad-json", message, where))
                if not line.strip():
                    continue
                try:
                    entry = parse_json(line)
                except (ValueError, RecursionError) as error:
                    problem = Problem("bad-json", f"not JSON: {error}", where, NOT_JSON_HINT)
                    raise DatasetError(problem) from None
                if not isinstance(entry, dict):
                    raise DatasetError(Problem("bad-json", "not a JSON object", where))
                yield entry
    except FileNotFoundError:
        raise DatasetError(layout.missing(path)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(Problem("unreadable-file", reason, path)) from None

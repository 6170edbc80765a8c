"""Checks a report against docs/report.schema.json."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tests.support.project import PROJECT

_VALIDATOR = Draft202012Validator(
    json.loads((PROJECT / "docs/report.schema.json").read_text(encoding="utf-8"))
)


def violation(report: Any) -> str | None:
    """What of a report is not as the schema says, with its place; None where all of it is."""
    error = best_match(_VALIDATOR.iter_errors(report))
    return None if error is None else f"{error.json_path}: {error.message}"

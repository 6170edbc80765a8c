"""Checks JSON files against the schemas in docs/schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tests.support.project import PROJECT

SCHEMAS = PROJECT / "docs/schemas"
NAMES = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.iterdir())


@cache
def schema_of(name: str) -> Mapping[str, Any]:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def violation(content: Any, name: str = "report") -> str | None:
    """What of a file is not as its schema says, with its place; None where all of it is."""
    error = best_match(Draft202012Validator(schema_of(name)).iter_errors(content))
    return None if error is None else f"{error.json_path}: {error.message}"


def read(path: Path, name: str | None = None) -> Any:
    """The content of a file, which is as its schema says."""
    content = json.loads(path.read_text(encoding="utf-8"))
    assert violation(content, name or path.stem) is None, path
    return content


def resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    place = schema.get("$ref")
    return schema if place is None else {**root["$defs"][place.removeprefix("#/$defs/")], **schema}


def variants(content: Any, name: str) -> Iterator[Any]:
    """The file with one optional field left out, with null where that is allowed, or with a field more."""
    yield from _variants(content, schema_of(name), schema_of(name))


def _variants(value: Any, stated: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Any]:
    schema = resolved(stated, root)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, entry in enumerate(value):
            for changed in _variants(entry, schema["items"], root):
                yield [*value[:index], changed, *value[index + 1 :]]
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    if known:
        yield {**value, "of a later version": [{}]}
    for key, inner in value.items():
        entry = known.get(key, schema.get("additionalProperties"))
        if not isinstance(entry, Mapping):
            continue
        if key in known and key not in schema.get("required", ()):
            yield {other: one for other, one in value.items() if other != key}
        kinds = resolved(entry, root)
        if "null" in kinds.get("type", ()) or None in kinds.get("enum", ()):
            yield {**value, key: None}
        for changed in _variants(inner, entry, root):
            yield {**value, key: changed}

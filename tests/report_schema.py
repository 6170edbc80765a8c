"""Checks a report against docs/report.schema.json, with as much of JSON Schema as the file uses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = json.loads((Path(__file__).parents[1] / "docs/report.schema.json").read_text())

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_WORDS = {"$schema", "$defs", "title", "description"}


def violations(value: Any, schema: Any = SCHEMA, place: str = "report") -> Iterator[str]:
    """What of a value is not as the schema says."""
    checked = _WORDS.copy()

    def said(word: str) -> Any:
        checked.add(word)
        return schema.get(word)

    if (reference := said("$ref")) is not None:
        yield from violations(value, SCHEMA["$defs"][reference.rpartition("/")[2]], place)
    if (kinds := said("type")) is not None:
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if type(value) not in [_TYPES[kind] for kind in kinds]:
            yield f"{place} is {value!r}, not {' or '.join(kinds)}"
            return
    if (options := said("oneOf")) is not None:
        found = [list(violations(value, option, place)) for option in options]
        if found.count([]) != 1:
            yield from min(found, key=len) or [f"{place} fits several"]
    if (constant := said("const")) is not None and value != constant:
        yield f"{place} is {value!r}, not {constant!r}"
    if (choices := said("enum")) is not None and value not in choices:
        yield f"{place} is {value!r}, not one of {choices}"
    if (least := said("minimum")) is not None and value is not None and value < least:
        yield f"{place} is {value!r}, less than {least}"
    if (length := said("minLength")) is not None and value is not None and len(value) < length:
        yield f"{place} is {value!r}, shorter than {length}"
    if (pattern := said("pattern")) is not None and not re.search(pattern, value):
        yield f"{place} is {value!r}, not like {pattern}"
    properties, items = said("properties") or {}, said("items")
    lacking = [name for name in said("required") or () if name not in value]
    yield from (f"{place} lacks {name}" for name in lacking)
    if said("additionalProperties") is False:
        yield from (f"{place} has {name}" for name in value.keys() - properties.keys())
    if isinstance(value, dict):
        for name in properties.keys() & value.keys():
            yield from violations(value[name], properties[name], f"{place}.{name}")
    if items is not None and isinstance(value, list):
        for number, item in enumerate(value):
            yield from violations(item, items, f"{place}[{number}]")
    assert schema.keys() <= checked, f"the check does not know {schema.keys() - checked}"

"""The page docs/reference/sidecars.md, from the JSON schemas in docs/schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ORDER: Final = (
    "grasp_provenance",
    "grasp_recording",
    "grasp_learning",
    "report",
    "comparison",
    "frames_index",
    "proposals",
    "grasp_classifier",
    "classifier_report",
    "episodes",
    "training",
    "truth",
)
"""The schemas, in the order of the page; the first three are of sidecars."""

_INTRODUCTION = """\
# Sidecars and other JSON files

What this package writes as JSON for programs and persons, with all fields. Three files are sidecars: they are
in `meta/` of a dataset and go with it to the Hub. LeRobot ignores them. This page is written from the schemas
(JSON Schema, draft 2020-12) by `{write}`.

- Ranges are `[start, stop]`: frames count from 0, and stop is excluded. Only annotation files count from 1.
- In a field's name, `[]` is each entry of a list, and `*` each name of an object.
- A field without "optional" is always there; `null` stands for a missing value.
- Later versions may add fields, so ignore those that you do not know. `format` changes when a field changes
  its meaning or is removed; sidecars of another format are not read.
- `lerobot-grasp-verify` names what is wrong with a sidecar (`bad-sidecar`, `sidecar-of-other-data`). Damage
  of `grasp_provenance.json` never keeps a dataset from being read: what is intact is used.

Files that only the package itself reads have no schema: `recipe.json` in the learner's cache,
`grasp_settings.json` of a run, and the hidden files of a recording or a write that is under way.
`--format sarif` prints
[SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
"""

_WORDS: Final = {
    "array": "list",
    "object": "object",
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_PLURALS: Final = {
    "object": "objects",
    "text": "texts",
    "integer": "integers",
    "number": "numbers",
    "list of integers": "lists of integers",
}

type Schema = Mapping[str, Any]
"""A JSON schema, or a part of one."""


def schema_lines(folder: Path, write: str) -> Iterator[str]:
    """The page of all files.

    Args:
        folder: The schemas.
        write: The command that writes the page.
    """
    yield _INTRODUCTION.format(write=write)
    for name in ORDER:
        path = folder / f"{name}.schema.json"
        root = json.loads(path.read_text(encoding="utf-8"))
        link = f"[Schema](../{folder.name}/{path.name})"
        yield from (f"## {root['title']}", "", f"{root['description']} {link}", "")
        for form in root.get("oneOf", [root]):
            yield from _table("" if form is root else form["title"], form, root)
        for title, definition in root.get("$defs", {}).items():
            if "properties" in definition:
                yield from _table(title, definition, root)


def _table(title: str, schema: Schema, root: Schema) -> Iterator[str]:
    """The fields of an object, below its title."""
    if title:
        yield from (f"### {title}", "")
    yield from ("| field | type | means |", "| --- | --- | --- |", *_rows(schema, root, ""), "")


def _rows(schema: Schema, root: Schema, prefix: str) -> Iterator[str]:
    """The fields of an object, each followed by its own fields."""
    for name, stated in schema.get("properties", {}).items():
        kind = _kind(stated, root) + ("" if name in schema.get("required", ()) else ", optional")
        yield f"| `{prefix}{name}` | {kind} | {stated['description']} |"
        yield from _inner_rows(stated, root, f"{prefix}{name}")


def _inner_rows(schema: Schema, root: Schema, name: str) -> Iterator[str]:
    yield from _rows(schema, root, f"{name}.")
    for mark, key in (("[]", "items"), (".*", "additionalProperties")):
        if isinstance(entry := schema.get(key), Mapping):
            yield from _inner_rows(entry, root, f"{name}{mark}")


def _kind(schema: Schema, root: Schema) -> str:
    """The type of a value, in words."""
    if "anyOf" in schema:
        return " or ".join(_kind(form, root) for form in schema["anyOf"])
    if place := schema.get("$ref"):
        name = place.removeprefix("#/$defs/")
        definition = root["$defs"][name]
        return f"{name} (below)" if "properties" in definition else _kind(definition, root)
    values: Sequence[Any] = [schema["const"]] if "const" in schema else schema.get("enum", ())
    if values:
        named = [f"`{value if isinstance(value, str) else json.dumps(value)}`" for value in values]
        return ", ".join(named)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    words = [_list_kind(schema.get("items"), root) if kind == "array" else _WORDS[kind] for kind in kinds]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _list_kind(items: Any, root: Schema) -> str:
    """The type of a list with such entries."""
    if not isinstance(items, Mapping) or "enum" in items:
        return "list"
    if "prefixItems" in items:
        is_range = all(part["type"] == "integer" for part in items["prefixItems"])
        return "list of ranges" if is_range else "list of pairs"
    entry = _kind(items, root)
    return f"list of {_PLURALS.get(entry, entry)}"

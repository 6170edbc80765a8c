"""Reads and writes the dataset card, ``README.md``: YAML header, licence and text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem

_MAX_BYTES: Final = 4 * 2**20
_BEGIN: Final = "<!-- lerobot_grasp_plugin: begin -->"
_END: Final = "<!-- lerobot_grasp_plugin: end -->"
_GENERATED = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}\n*", re.DOTALL)
_HEADER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_RESERVED: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
"""Words that YAML does not read as text."""


@dataclass(frozen=True, slots=True)
class Card:
    """A dataset card.

    Attributes:
        header: The YAML header; empty without one.
        text: The text after the header, without the part that this package wrote.
        problem: Why the header or the file could not be read; None if it could.
    """

    header: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    problem: Problem | None = None

    @property
    def license(self) -> str | None:
        """The licence, as the Hub names it (``cc-by-4.0``); several of them joined by ``, ``."""
        value = self.header.get("license")
        names = value if isinstance(value, list) else [value]
        return ", ".join(str(name) for name in names if name not in (None, "")) or None


def read_card(root: Path) -> Card:
    """The card of a dataset; an empty one if it has none."""
    path = root / layout.CARD_PATH
    try:
        if not path.is_file():
            return Card()
        if path.stat().st_size > _MAX_BYTES:
            return _unread(path, f"the card is larger than {_MAX_BYTES} bytes")
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return _unread(path, f"the card cannot be read: {error}")
    header = _HEADER.match(content)
    text = _GENERATED.sub("", content[header.end() :] if header else content).strip()
    if header is None:
        return Card(text=text)
    try:
        return Card(_mapping(header[1]), text)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        return _unread(path, f"the YAML header of the card cannot be read: {reason}", text)


def _mapping(text: str) -> dict[str, Any]:
    """A YAML header as a mapping.

    Raises:
        ValueError: It is not YAML, not a mapping, or repeats parts of itself by reference.
    """
    import yaml

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError("it contains references (*name)")  # a few bytes could become gigabytes
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("it is not a list of `name: value`")
    return {str(key): entry for key, entry in value.items()}


def _unread(path: Path, message: str, text: str = "") -> Card:
    """A card without a header that can be read."""
    return Card(text=text, problem=Problem("bad-card", message, path, "the Hub refuses it too"))


def write_card(root: Path, header: Mapping[str, Any], generated: str, text: str) -> None:
    """Writes the card.

    Args:
        root: The dataset's folder.
        header: The YAML header.
        generated: Text that a later output generates itself and does not copy from this one.
        text: All other text.
    """
    head = "".join(f"{_scalar(key)}:{_value(value)}\n" for key, value in header.items())
    parts = [f"---\n{head}---", f"{_BEGIN}\n{generated.strip()}\n{_END}", *([text.strip()] if text else [])]
    (root / layout.CARD_PATH).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _value(value: Any) -> str:
    """A value as YAML behind its key: a list of texts line by line, all else as JSON, which is YAML too."""
    if isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        return "".join(f"\n- {_scalar(entry)}" for entry in value)
    return f" {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)

"""Parses JSON and keeps the place of every value.

The standard library's reader forgets positions and duplicate keys, and both matter to a person
who looks for a wrong label. Values beyond reason (depth, number of digits) cost nothing here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from lerobot_grasp_plugin.core.grammar_ranges import bounded_int
from lerobot_grasp_plugin.core.source_text import Findings, Source, Span

MAX_DEPTH = 16

Kind = Literal["object", "array", "string", "integer", "number", "true", "false", "null"]

_SPACE = re.compile(r"[ \t\n]*+")
_TOKEN = re.compile(
    r"""(?P<mark>[][{}:,])
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*+")
    | (?P<number>-?(?:0|[1-9][0-9]*+)(?P<fraction>(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?))(?![0-9A-Za-z_.+-])
    | (?P<word>(?:true|false|null))(?![0-9A-Za-z_])
    """,
    re.VERBOSE,
)
_JUNK = re.compile(r"[^\s,:{}\[\]]+|.")


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A value and its place.

    Attributes:
        kind: Which kind of value it is.
        place: The value; of an object or array the opening bracket.
        text: What a string says; empty for other kinds.
        number: What an integer says, nearer to 0 when it is far beyond ``MAX_NUMBER``.
        items: The elements of an array.
        members: Keys and values of an object, in order, duplicates included.
    """

    kind: Kind
    place: Span
    text: str = ""
    number: int = 0
    items: tuple[JsonValue, ...] = ()
    members: tuple[tuple[JsonValue, JsonValue], ...] = ()


def read_value(source: Source, findings: Findings) -> JsonValue:
    """Read a source that holds one JSON value.

    Raises:
        AnnotationError: It is not JSON, or nests deeper than ``MAX_DEPTH``.
    """
    reader = _Reader(source, findings)
    value = reader.value(0)
    if reader.token is not None or reader.at < len(source.text):
        hint = "a file has one JSON value; several datasets are a list of objects"
        reader.fail("unexpected text after the end of the JSON value", hint)
    return value


class _Reader:
    def __init__(self, source: Source, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.at = 0
        self.token: re.Match[str] | None = None
        self.advance()

    def advance(self) -> None:
        """Step behind the current token; ``token`` is None at the end and before what is none."""
        if self.token is not None:
            self.at = self.token.end()
        space = _SPACE.match(self.source.text, self.at)
        self.at = space.end() if space else self.at
        self.token = _TOKEN.match(self.source.text, self.at)

    def fail(self, message: str, hint: str) -> NoReturn:
        junk = _JUNK.match(self.source.text, self.at)
        place = self.source.place(self.at, junk.end() if junk else self.at + 1)
        self.findings.error("not-json", message, place, hint)
        self.findings.raise_errors()
        raise AssertionError("unreachable")

    def mark(self) -> str:
        return self.token["mark"] or "" if self.token else ""

    def value(self, depth: int) -> JsonValue:
        token = self.token
        if token is None:
            self.fail("expected a JSON value", "a string in double quotes, a number, null, [...] or {...}")
        place = self.source.place(token.start(), token.end())
        if depth > MAX_DEPTH:
            self.fail(f"brackets are nested more than {MAX_DEPTH} deep", "")
        if token["mark"] == "{":
            return JsonValue("object", place, members=self._members(depth))
        if token["mark"] == "[":
            return JsonValue("array", place, items=self._items(depth))
        if token["mark"]:
            self.fail(f"expected a JSON value before {token['mark']!r}", "check for an extra comma")
        if token["string"]:
            return self._string(place)
        self.advance()
        if token["number"]:
            if token["fraction"]:
                return JsonValue("number", place)
            return JsonValue("integer", place, number=bounded_int(token["number"]))
        word: Kind = "null" if token["word"] == "null" else "true" if token["word"] == "true" else "false"
        return JsonValue(word, place)

    def _string(self, place: Span) -> JsonValue:
        assert self.token is not None
        try:
            text = json.loads(self.token.group())
        except json.JSONDecodeError as error:
            self.fail(f"not a JSON string: {error.msg}", "")
        self.advance()
        return JsonValue("string", place, text=str(text))

    def _items(self, depth: int) -> tuple[JsonValue, ...]:
        items: list[JsonValue] = []
        self.advance()
        while self.mark() != "]" or items:
            items.append(self.value(depth + 1))
            if self.mark() == "]":
                break
            self._comma("]")
        self.advance()
        return tuple(items)

    def _members(self, depth: int) -> tuple[tuple[JsonValue, JsonValue], ...]:
        members: list[tuple[JsonValue, JsonValue]] = []
        self.advance()
        while self.mark() != "}" or members:
            if self.token is None or not self.token["string"]:
                is_quoted = self.source.text[self.at : self.at + 1] == "'"
                hint = "JSON does not allow single quotes" if is_quoted else "check for an extra comma"
                self.fail("expected a key in double quotes", hint)
            key = self._string(self.source.place(self.token.start(), self.token.end()))
            if self.mark() != ":":
                self.fail(f"expected `:` after the key {key.place.text}", "")
            self.advance()
            members.append((key, self.value(depth + 1)))
            if self.mark() == "}":
                break
            self._comma("}")
        self.advance()
        return tuple(members)

    def _comma(self, closing: str) -> None:
        if self.mark() != ",":
            self.fail(f"expected `,` or `{closing}`", "")
        self.advance()

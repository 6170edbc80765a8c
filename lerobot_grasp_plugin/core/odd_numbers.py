"""Explains text that is not a frame number: times, digits of other scripts, invisible characters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from lerobot_grasp_plugin.core.annotations import IndexBase

DASHES = re.compile("[\u2010-\u2015\u2212\u301c\uff5e\uff0d\u30fc~]")
"""Characters that look like the minus sign, or stand for it between two numbers."""

_TIME = re.compile(
    r"[0-9]\.[0-9]|[0-9]:[0-9]|[0-9]\s*(?:ms|s|secs?|seconds?|m|min|minutes?)\b", re.IGNORECASE
)
_PLAIN = re.compile(r"-?[0-9]+(?:\s*-(?:\s*[0-9]+)?)?(?:\s*,\s*[0-9]+(?:\s*-(?:\s*[0-9]+)?)?)*")


@dataclass(frozen=True, slots=True)
class OddNumber:
    """Why a text is not a number: finding code, rest of the message, hint."""

    code: str
    reason: str
    hint: str


def odd_number(text: str, base: IndexBase) -> OddNumber | None:
    """Why a text is neither a number nor a range, None when nothing is known about it.

    Args:
        text: Without spaces at its ends.
        base: The number of an episode's first frame.
    """
    if hidden := next((c for c in text if unicodedata.category(c) == "Cf"), None):
        return OddNumber(
            "invisible-character", f"contains the invisible character U+{ord(hidden):04X}", "delete it"
        )
    if any(not c.isascii() and (c.isdigit() or unicodedata.east_asian_width(c) == "F") for c in text):
        plain = DASHES.sub("-", "".join(_plain(c) for c in text))
        plain = plain.replace("\u3001", ",").strip()
        is_sure = _PLAIN.fullmatch(plain) and not any(c.isdigit() and not c.isdecimal() for c in text)
        hint = f"write {plain}" if is_sure else "write the digits 0 to 9"
        return OddNumber("foreign-digits", "is not written with the digits 0 to 9", hint)
    if _TIME.search(text):
        frame = "seconds * fps" if base == 0 else "seconds * fps + 1"
        hint = f"write integer frame numbers: a time is frame {frame}"
        return OddNumber("time-not-frame", "is a time or a fraction, not a frame number", hint)
    if DASHES.search(text):
        plain = DASHES.sub("-", text)
        hint = f"write {plain}" if _PLAIN.fullmatch(plain) else "write the plain minus sign `-`"
        return OddNumber("unknown-token", "contains a dash that is not a minus sign", hint)
    return None


def _plain(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return unicodedata.normalize("NFKC", character) if digit is None else str(digit)

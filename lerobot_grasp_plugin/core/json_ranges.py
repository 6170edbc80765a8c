"""Reads ranges and frame numbers in the JSON form of annotations."""

from __future__ import annotations

from lerobot_grasp_plugin.core.grammar_ranges import WrittenRange
from lerobot_grasp_plugin.core.json_text import JsonValue
from lerobot_grasp_plugin.core.source_text import Findings, Source

_PAIR = "[first, last], or [first, null] for an open end"


def read_ranges(
    value: JsonValue, path: str, source: Source, findings: Findings, *, singles: bool = False
) -> list[WrittenRange]:
    """Read a list of ranges; a faulty one is reported and left out.

    Args:
        value: The list.
        path: Its name in messages.
        source: The text that contains it.
        findings: Collects errors.
        singles: Whether a number alone is a frame.
    """
    if value.kind != "array":
        note_wrong(findings, value, path, "a list of ranges [first, last]")
        return []
    numbers = [item.number for item in value.items if item.kind == "integer"]
    if len(value.items) == len(numbers) == 2 and not (singles and numbers[1] <= numbers[0] + 1):
        first, last = numbers
        message = f"{path}: [{first}, {last}] is not a list of ranges"
        hint = (
            f"write [[{first}, {last}]] for one range, [[{first}, {first}], [{last}, {last}]] for two frames"
        )
        findings.error("wrong-type", message, value.items[0].place, hint)
        return []
    written = []
    for i, item in enumerate(value.items):
        if singles and item.kind == "integer":
            written.append(WrittenRange(item.number, item.number, item.place))
        elif found := _read_pair(item, f"{path}[{i}]", source, findings, singles=singles):
            written.append(found)
    return written


def read_frame(value: JsonValue, path: str, findings: Findings, hint: str) -> int | None:
    """The frame number in a value; None after reporting that it is not one."""
    if value.kind == "integer":
        return value.number
    if value.kind == "number":
        hint = f"frames are integers, not seconds; {hint}"
    elif value.kind == "string":
        hint = f"write the number without quotes; {hint}"
    findings.error("wrong-type", f"{path}: {value.place.text} is not a frame number", value.place, hint)
    return None


def note_wrong(
    findings: Findings, value: JsonValue, path: str, expected: str, *, code: str = "wrong-type"
) -> None:
    """Report a value of the wrong type."""
    message = f"{path or 'the file'}: unexpected {value.place.text}"
    findings.error(code, message, value.place, f"expected {expected}")


def _read_pair(
    item: JsonValue, path: str, source: Source, findings: Findings, *, singles: bool
) -> WrittenRange | None:
    expected = f"{_PAIR}, or a frame number" if singles else _PAIR
    if item.kind == "array" and len(item.items) == 1 and item.items[0].kind == "integer":
        number = item.items[0].number
        message = f"{path}: [{number}] has one number, but a range has two"
        hint = f"write [{number}, null] up to the end of the episode, [{number}, {number}] for one frame"
        findings.error("wrong-type", message, item.items[0].place, hint)
        return None
    if item.kind != "array" or len(item.items) != 2:
        note_wrong(findings, item, path, expected)
        return None
    first, last = item.items
    is_open = last.kind == "null"
    start = read_frame(first, path, findings, f"expected {expected}")
    stop = None if is_open else read_frame(last, path, findings, f"expected {expected}")
    if start is None or (stop is None and not is_open):
        return None
    return WrittenRange(start, stop, source.place(item.place.start, last.place.stop + 1))

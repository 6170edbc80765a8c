"""The register as text: one entry for ``--explain``, all of it as the page docs/findings.md."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from lerobot_grasp_plugin.findings.code import Code, Line
from lerobot_grasp_plugin.findings.codes import CODES, FAMILIES

_SIMILAR = 3
_FILES: tuple[Line, ...] = ("Parquet files",)

_INTRODUCTION = """\
# Findings

Each finding has a code. This page lists all codes; `lerobot-grasp-verify --explain CODE` prints one of them.
`python -m lerobot_grasp_plugin.findings > docs/findings.md` writes the page.

An **error** stops the work: LeRobot cannot read the dataset, or reads something other than was recorded;
training would crash or learn something wrong. A **warning** will probably do harm. A **note** is worth
knowing."""


def explained(name: str) -> list[str]:
    """The lines that explain a code, one of the register."""
    code = CODES[name]
    lines = [f"{name}: {_severities(code)}", code.meaning]
    if code.breaks not in ((), _FILES):
        lines.append(f"An error makes these lines of verify's block wrong: {', '.join(code.breaks)}.")
    if followers := sorted({each for effect in code.explains for each in effect.codes.split()}):
        lines.append(f"Findings that it explains, which are then not reported: {', '.join(followers)}.")
    if causes := [cause.name for cause in CODES.values() if _explains(cause, name)]:
        lines.append(f"Not reported where one of these explains it: {', '.join(causes)}.")
    if code.rescue:
        where = " in a table of rows" if code.rescue == "rows" else ""
        lines.append(f"`lerobot-grasp-merge --rescue true` saves what is whole{where}.")
    if code.fix:
        lines.append(f"Fixed by: {code.fix}")
    return lines


def similar(name: str) -> list[str]:
    """Codes that are spelled almost as a name that is none."""
    return get_close_matches(name, CODES, _SIMILAR)


def page() -> str:
    """All codes, family by family, as Markdown."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield _INTRODUCTION
    for family in FAMILIES:
        yield from ("", f"## {family.title}", "", "| code | severity | means | fixed by |")
        yield "| --- | --- | --- | --- |"
        for code in family.codes:
            fix = f"`{code.fix}`" if code.fix else ""
            yield f"| `{code.name}` | {_severities(code)} | {code.meaning} | {fix} |"


def _severities(code: Code) -> str:
    return ", ".join(f"{severity} ({reason})" if reason else severity for severity, reason in code.severities)


def _explains(cause: Code, name: str) -> bool:
    return any(name in effect.codes.split() for effect in cause.explains)

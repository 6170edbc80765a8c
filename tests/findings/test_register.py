"""The register is whole: each code that is used stands in it, each of its codes is used and tested."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import lerobot_grasp_plugin
from lerobot_grasp_plugin.findings.code import SEVERITIES
from lerobot_grasp_plugin.findings.codes import CODES, FAMILIES
from lerobot_grasp_plugin.findings.page import page
from tests.support.project import PROJECT

PACKAGE = Path(lerobot_grasp_plugin.__file__).parent
TESTS = PROJECT / "tests"
KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
TOKEN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

NOT_CODES = {
    "utf-8",
    "utf-8-sig",
    "latin-1",
    "libaom-av1",
    "libvpx-vp9",
    "lerobot-edit-dataset",
    "lerobot-record",
    "lerobot-train",
    "grasp-frames",
    "re-record",
}
"""What is spelled like a code and is another name."""

UNPLANTED = {
    "actor-failed",
    "audio-left-out",
    "bad-vector",
    "classifier-not-local",
    "classifier-type",
    "constant-state",
    "dropped-frames",
    "episode-open-start",
    "failure-value-differs",
    "frame-order",
    "frame-rates-differ",
    "joint-limit",
    "label-notes",
    "lerobot-failed",
    "lost-frames",
    "no-episode",
    "no-frame-cache",
    "no-learning",
    "no-rerun",
    "no-simulator",
    "not-degrees",
    "not-opened",
    "not-published",
    "not-recording",
    "other-reward-values",
    "other-robot",
    "path-left",
    "preflight-errors",
    "process-lost",
    "refused-by-lerobot",
    "reset-failed",
    "rotation-lost",
    "rows-apart",
    "several-sizes",
    "text-exists",
    "torn-checkpoint",
    "training-failed",
    "truth-differs",
    "unknown-crop",
    "unreachable",
    "unsupported-model",
    "video-average-fps",
    "video-changed",
    "video-codec-unknown",
    "video-frame-corrupt",
    "video-frame-size",
    "video-no-frames",
    "video-not-written",
    "video-order",
    "video-retimed",
    "wrong-as-read",
}
"""Codes that no test names. The list may only become shorter."""


@cache
def calls_and_texts() -> tuple[list[tuple[str, ast.Call]], set[str]]:
    """Every call in the package with its file and line, and every text in it that could be a code."""
    calls, texts = [], set()
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(PACKAGE / "findings" / "codes") or path.name == "security.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                calls.append((f"{path.relative_to(PACKAGE)}:{node.lineno}", node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    return calls, texts


def problems() -> Iterator[tuple[str, str, set[str]]]:
    """Place, code and severities of each call that makes a problem of a code that stands in the call."""
    for where, call in calls_and_texts()[0]:
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name not in ("Problem", "problem", "Reason", "video_error") or not call.args:
            continue
        code = call.args[0]
        for each in [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]:
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                given = [keyword.value for keyword in call.keywords if keyword.arg == "severity"]
                parts = [part for one in given for part in ast.walk(one) if isinstance(part, ast.Constant)]
                severities = {part.value for part in parts if _is_severity(part)}
                yield where, each.value, severities


def _is_severity(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in SEVERITIES


def test_each_code_that_is_used_is_registered() -> None:
    texts = {text for text in calls_and_texts()[1] if KEBAB.fullmatch(text)}
    codes = {text for text in texts if not text.startswith("lerobot-grasp-")} - NOT_CODES
    assert sorted(codes - CODES.keys() - {"content-type"}) == []
    assert [(where, code) for where, code, _ in problems() if code not in CODES] == []


def test_each_registered_code_is_used() -> None:
    used = {code for text in calls_and_texts()[1] for code in [text] if code in CODES}
    assert sorted(CODES.keys() - used) == []


def test_no_problem_has_a_severity_that_is_not_registered() -> None:
    for where, code, severities in problems():
        known = {severity for severity, _ in CODES[code].severities}
        assert severities <= known, f"{where}: {code}"
        assert severities != {CODES[code].severity}, f"{where}: {code} names its usual severity"


def test_the_register_is_sorted_and_names_only_codes() -> None:
    assert len(CODES) == sum(len(family.codes) for family in FAMILIES)
    for family in FAMILIES:
        names = [code.name for code in family.codes]
        assert names == sorted(names), family.title
    for code in CODES.values():
        assert TOKEN.fullmatch(code.name)
        assert code.meaning.endswith("."), code.name
        assert len(code.severities) == 1 or all(reason for _, reason in code.severities), code.name
        assert {name for effect in code.explains for name in effect.codes.split()} <= CODES.keys(), code.name


def test_the_page_of_findings_is_that_of_the_register() -> None:
    written = (PACKAGE.parent / "docs" / "findings.md").read_text()
    assert written == page(), "run: python -m lerobot_grasp_plugin.findings > docs/findings.md"


def test_each_code_is_named_by_a_test() -> None:
    named: set[str] = set()
    for path in TESTS.rglob("*.py"):
        if path == Path(__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= {node.value} | {each for each in TOKEN.findall(node.value) if "-" in each}
    assert sorted(CODES.keys() - named - UNPLANTED) == []
    assert sorted(UNPLANTED & named) == [], "these are named now: take them off the list"
    assert CODES.keys() >= UNPLANTED

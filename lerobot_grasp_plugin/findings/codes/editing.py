"""Codes of edits of one dataset."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, WARNING, Code, Family

EDITING = Family(
    "Editing",
    (
        Code("episodes-in-no-part", "Episodes are in none of the parts of a dataset.", WARNING),
        Code("episodes-not-named", "A new order does not name every episode.", ERROR),
        Code("missing-option", "An operation needs an option that is not given.", ERROR),
        Code("no-motion", "No column says whether the arm moves.", ERROR),
        Code("nothing-to-edit", "An edit changes nothing, so that its output is a copy.", WARNING),
    ),
)

"""Codes of labelers."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.code import ERROR, Code, Family

LABELERS = Family(
    "Labelers",
    (
        Code("bad-proposals", "The file of curves next to a draft cannot be read.", ERROR),
        Code("endpoint-failed", "The server of a model cannot be reached, or refuses.", ERROR),
        Code("labeler-failed", "A labeler failed on an episode.", ERROR),
        Code("no-progress", "A dataset has no table of a reward model's progress, or several.", ERROR),
        Code("no-proposal", "A labeler has no proposal for any episode.", ERROR),
        Code("other-progress", "A table of progress has other frames than the dataset.", ERROR),
    ),
)

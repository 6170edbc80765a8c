"""Prints the page docs/findings.md: ``python -m lerobot_grasp_plugin.findings > docs/findings.md``."""

from __future__ import annotations

from lerobot_grasp_plugin.findings.page import page

print(page(), end="")

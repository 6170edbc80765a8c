"""Writes the pages of docs/reference: ``python -m lerobot_grasp_plugin.commands docs/reference``."""

from __future__ import annotations

import sys
from pathlib import Path

from lerobot_grasp_plugin.commands.reference import write_pages

write_pages(Path(sys.argv[1]))

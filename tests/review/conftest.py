"""A served page, and a browser to open it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deadline import DEADLINE_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """Starts ``lerobot-grasp-review`` and gives the address it prints."""
    running: list[subprocess.Popen[str]] = []

    def start(root: Path, annotations: Path) -> str:
        program = Path(sys.executable).parent / "lerobot-grasp-review"
        call = [program, "--root", str(root), "--annotations", str(annotations), "--port", "0"]
        process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Open "):
                return line.removeprefix("Open ").strip()
        raise AssertionError("no address was printed")

    yield start
    for process in running:
        process.terminate()
        process.wait(DEADLINE_S)


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of headless Chromium, 1280x720, whose errors fail the test."""
    if CHROMIUM is None:
        if os.environ.get("GRASP_REQUIRE_CHROMIUM") == "1":
            pytest.fail("there is no chromium")
        pytest.skip("there is no chromium")
    from playwright.sync_api import sync_playwright

    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 720})
        opened.set_default_timeout(DEADLINE_S * 1000)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
        browser.close()
    assert not errors

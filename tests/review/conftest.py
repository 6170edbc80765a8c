"""A served page, and a browser to open it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.deadline import DEADLINE_S
from tests.support.factories import Legacy, write_legacy
from tests.support.relay import Relay

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


class Served:
    """Starts ``lerobot-grasp-review`` and gives the address it prints."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def __call__(self, root: Path, annotations: Path, port: int = 0, *options: str) -> str:
        program = Path(sys.executable).parent / "lerobot-grasp-review"
        call: list[str | Path] = [
            program,
            "--root",
            str(root),
            "--annotations",
            str(annotations),
            "--port",
            str(port),
            *options,
        ]
        process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
        self.running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Open "):
                return line.removeprefix("Open ").strip()
        raise AssertionError("no address was printed")

    def stop(self) -> None:
        """Kills what runs."""
        for process in self.running:
            process.kill()
            process.wait(DEADLINE_S)
        self.running.clear()


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


@pytest.fixture
def relayed() -> Iterator[Callable[[str], Relay]]:
    """A relay to a server; closed after the test."""
    relays: list[Relay] = []

    def relay(address: str) -> Relay:
        relays.append(Relay(address))
        return relays[-1]

    yield relay
    for one in relays:
        one.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium, one for all tests of a module."""
    if CHROMIUM is None:
        if os.environ.get("GRASP_REQUIRE_CHROMIUM") == "1":
            pytest.fail("there is no chromium")
        pytest.skip("there is no chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of 1280x720, whose errors fail the test."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    opened = context.new_page()
    opened.set_default_timeout(DEADLINE_S * 1000)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cameras; 40, 120, 12 and 66 frames, the gripper of the 120 opens on command. Only to be read."""
    cameras = ("observation.images.wrist", "observation.images.front")
    root = write_legacy(
        tmp_path_factory.mktemp("long") / "long", Legacy(lengths=(40, 120, 12, 66), cameras=cameras)
    )
    path = root / "data/chunk-000/episode_000001.parquet"
    table = pq.read_table(path)
    for name in ("observation.state", "action"):
        rows = np.array(table[name].to_pylist(), dtype=np.float32)
        rows[:, -1] = [0] * 20 + [1] * 30 + [0] * 70
        place = table.column_names.index(name)
        values = pa.array(rows.tolist(), table[name].type)
        table = table.set_column(place, table.schema.field(name), values)
    pq.write_table(table, path)
    return root

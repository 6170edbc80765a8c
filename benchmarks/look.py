"""How long the review page and lerobot-grasp-frames let a person wait.

    python benchmarks/look.py [--home DIR] [--repeat N] [--frames-only]

Reads the sets A (one 640x480 camera) and C (200 episodes, two cameras) of make_datasets.py. Prints the
median of N runs, the spread, and the load of the machine before and after: with other work on it the
figures mean little. The page is measured in headless Chromium, by the page's own clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent / "outputs" / "benchmarks"
PROGRAM = str(Path(sys.executable).parent / "lerobot-grasp-review")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EXTRACT = """
import sys
from pathlib import Path
from lerobot_grasp_plugin.frames.extract import extract_frames
from lerobot_grasp_plugin.frames.config import FramesConfig
if __name__ == "__main__":
    root, output, workers = sys.argv[1:]
    extract_frames(FramesConfig(root=Path(root), output_dir=Path(output)), workers=int(workers))
"""
# the episode chosen by a click, until each of its thumbnails is there
SELECT = """(episode) => new Promise((done) => {
    const began = performance.now(), strip = document.querySelector("#strip");
    const look = () => strip.dataset.complete === String(episode) ? done(performance.now() - began)
        : requestAnimationFrame(look);
    document.querySelector(`#episode-${episode}`).click();
    requestAnimationFrame(look);
})"""
# since the navigation began: all episodes in the list, and the frame of the first
OPEN = """(episodes) => new Promise((done) => {
    const look = () => document.querySelectorAll("#episodes li[id]").length === episodes
        && document.querySelector("#large").dataset.frame !== undefined
        ? done(performance.now()) : requestAnimationFrame(look);
    look();
})"""


def seconds(action: Callable[[], object]) -> float:
    """Wall time of a call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@contextmanager
def served(root: Path, folder: Path) -> Iterator[str]:
    """The page's address while it is served."""
    call = [PROGRAM, "--root", str(root), "--annotations", str(folder / "labels.txt"), "--port", "0"]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield next(line for line in process.stdout if line.startswith("Open ")).split()[1]
    finally:
        process.terminate()
        process.wait(10)


def show(what: str, target: str, values: list[float]) -> None:
    """One line of the table."""
    spread = f"{min(values):.2f}-{max(values):.2f}"
    print(f"{what:62} {statistics.median(values):7.2f} s   {spread:>12}   {target}", flush=True)


def in_browser(home: Path, folder: Path, repeat: int) -> None:
    """What the page takes."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)

        def once(root: Path, action: Callable[[Any], float]) -> float:
            with served(root, folder) as address:
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                page.goto(address)
                found = action(page) / 1000
                page.close()
                return found

        def select(page: Any) -> float:
            page.wait_for_selector("#strip[data-complete='0']")
            return float(page.evaluate(SELECT, 8))

        opened = [once(home / "C", lambda page: float(page.evaluate(OPEN, 200))) for _ in range(repeat)]
        show("200 episodes: list and first frame in sight", "2 s", opened)
        chosen = [once(home / "A", select) for _ in range(repeat)]
        show("78 frames of 640x480, none seen before: all in sight", "1 s", chosen)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--home", type=Path, default=HOME)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--frames-only", action="store_true")
    given = parser.parse_args()
    print("load", os.getloadavg()[0], "cores", os.cpu_count())
    with tempfile.TemporaryDirectory() as name:
        folder, runs = Path(name), range(given.repeat)
        (folder / "extract.py").write_text(EXTRACT)
        for workers in (1, 2):
            script = [sys.executable, str(folder / "extract.py"), str(given.home / "A")]
            times = []
            for run in runs:
                call = [*script, str(folder / f"frames_{workers}_{run}"), str(workers)]
                times.append(seconds(lambda call=call: subprocess.run(call, check=True)))
            show(f"lerobot-grasp-frames, 991 frames as jpg, {workers} process(es)", "", times)
        if not given.frames_only:
            call = [PROGRAM, "--help"]
            quiet = subprocess.DEVNULL
            times = [seconds(lambda: subprocess.run(call, check=True, stdout=quiet)) for _ in runs]
            show("lerobot-grasp-review --help", "0.5 s", times)
            times = []
            for _ in runs:
                began = time.perf_counter()
                with served(given.home / "A", folder):
                    times.append(time.perf_counter() - began)
            show("lerobot-grasp-review: address printed", "", times)
            in_browser(given.home, folder, given.repeat)
    print("load", os.getloadavg()[0])


if __name__ == "__main__":
    main()

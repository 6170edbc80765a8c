"""A lost server, address, disk, file or camera: said at once, and no more marks are taken."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.deadline import wait_until
from tests.support.looking import file_says, labels_in, opened, select, wait_said

pytestmark = pytest.mark.in_turn


def takes_no_marks(page: Any, said: str) -> None:
    """Neither keys nor buttons change what the page says."""
    for key in ("s", "f", "[", "]", "t", "u"):
        page.keyboard.press(key)
    assert page.inner_text("#said") == said
    acts = page.locator(".actions button:not([data-act=next]), #take")
    assert all(button.is_disabled() for button in acts.all())


def test_a_lost_server_and_an_expired_address_are_said(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    path = tmp_path / "labels.txt"
    address = served(long, path)
    opened(page, address)
    page.keyboard.press("s")
    file_says(path, "00: all success")
    page.wait_for_selector("#saved:has-text('episode 0: all success · saved in labels.txt')")
    served.stop()
    page.wait_for_selector("#gone:has-text('The server does not answer. Labelling is disabled')")
    takes_no_marks(page, "all success")
    served(long, path, urlsplit(address).port)
    page.wait_for_selector("#gone:has-text('This address is no longer valid')")
    takes_no_marks(page, "all success")
    assert labels_in(path) == {0: "all success"}


def test_what_was_not_saved_before_a_restart_is_named(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    path = tmp_path / "labels.txt"
    address = served(long, path)
    opened(page, address)
    held: list[Any] = []
    page.route("**/api/news/**", lambda route: held.append(route))
    wait_until(lambda: page.title() and held, "no news are asked for")
    served.stop()
    page.eval_on_selector(  # two marks before the page can know
        "#strip",
        "strip => ['s', 'n', 'f'].forEach((key) => strip.dispatchEvent("
        "new KeyboardEvent('keydown', { key, bubbles: true })))",
    )
    page.unroute("**/api/news/**")  # what was held goes on, to no server
    page.wait_for_selector("#gone:has-text('Not saved: episode 0: all success; episode 1: all fail.')")
    served(long, path, urlsplit(address).port)
    page.wait_for_selector("#gone:has-text('This address is no longer valid')")
    text = page.inner_text("#gone")
    assert text.endswith("Not saved: episode 0: all success; episode 1: all fail.")
    wait_said(page, "not labelled")  # taken back in sight
    assert not path.exists()


def test_a_lost_disk_and_a_file_that_cannot_be_written_are_said(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "labels.txt"
    opened(page, served(long, path))
    page.keyboard.press("s")
    file_says(path, "00: all success")
    away = folder.rename(tmp_path / "away")
    page.wait_for_selector(
        f"#trouble:has-text('Labelling is disabled: the folder {folder} no longer exists')"
    )
    takes_no_marks(page, "all success")
    away.rename(folder)
    page.wait_for_selector("#trouble", state="hidden")
    page.keyboard.press("f")
    file_says(path, "00: all fail")
    path.rename(folder / "kept")
    path.mkdir()
    page.wait_for_selector(f"#trouble:has-text('Labelling is disabled: {path} is a folder')")
    takes_no_marks(page, "all fail")


def test_a_write_that_fails_takes_the_mark_back(long: Path, tmp_path: Path, served: Any, page: Any) -> None:
    path = tmp_path / f"{246 * 'l'}.txt"  # there is no room for the name of the file written next to it
    opened(page, served(long, path))
    page.keyboard.press("s")
    said = "cannot be written: File name too long"
    page.wait_for_selector("#trouble:has-text('Not saved: episode 0: all success')")
    page.wait_for_selector(f"#trouble:has-text('Labelling is disabled: {path} {said}')")
    wait_said(page, "not labelled")
    takes_no_marks(page, "not labelled")
    assert list(tmp_path.iterdir()) == []


def test_a_camera_without_files_blanks_only_itself(
    long: Path, tmp_path: Path, served: Any, page: Any
) -> None:
    root = Path(shutil.copytree(long, tmp_path / "set"))
    lost = root / "videos/chunk-000/observation.images.front/episode_000000.mp4"
    lost.unlink()
    opened(page, served(root, tmp_path / "labels.txt"))
    page.keyboard.press("c")
    page.keyboard.press("c")  # all cameras
    wrist, front = page.locator("#large figure").all()
    wrist_shows = "figure => figure.querySelector('img').naturalWidth > 0"
    front.locator(".why").filter(has_text=str(lost)).wait_for()
    assert wrist.evaluate(wrist_shows)
    assert not wrist.locator(".why").is_visible()
    page.keyboard.press("End")
    page.wait_for_selector("#large[data-frame='39']")
    assert wrist.evaluate(wrist_shows)
    page.keyboard.press("s")
    file_says(tmp_path / "labels.txt", "00: 40-")
    select(page, 1)
    page.wait_for_selector("#large[data-frame='0']")
    assert front.evaluate(wrist_shows)
    assert not front.locator(".why").is_visible()

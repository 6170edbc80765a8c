"""Which datasets the page is served for, and what is refused before it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import Legacy, write_legacy

from lerobot_grasp_plugin.commands import serving
from lerobot_grasp_plugin.commands.review import main


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends at once."""
    monkeypatch.setattr(serving, "serve", lambda app, listening: None)


def review(root: Path, *options: str) -> int:
    labels = root.parent / "labels.txt"
    return main(["--root", str(root), "--annotations", str(labels), "--port", "0", *options])


@pytest.mark.parametrize("linked", ["videos", "data", "videos/chunk-000/observation.images.wrist"])
def test_links_that_lead_outside_need_their_option(
    linked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_legacy(tmp_path / "linked", Legacy(lengths=(3, 2)))
    (root / linked).rename(tmp_path / "elsewhere")
    (root / linked).symlink_to(tmp_path / "elsewhere")
    assert review(root) == 1
    assert "--follow_links true" in capsys.readouterr().err
    assert review(root, "--follow_links", "true") == 0

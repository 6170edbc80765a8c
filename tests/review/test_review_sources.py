"""Which datasets the page is served for, and what is refused before it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lerobot_grasp_plugin.commands import serving
from lerobot_grasp_plugin.commands.render import merge_report
from lerobot_grasp_plugin.commands.review import main
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.review.app import Review, create_app
from lerobot_grasp_plugin.review.images import Images
from lerobot_grasp_plugin.review.proposals import Proposals
from lerobot_grasp_plugin.review.session import Session
from tests.support.factories import HEIGHT, WIDTH, Legacy, change_info, read_info, write_legacy


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


@pytest.mark.parametrize("shape", [[HEIGHT, WIDTH, 3], [3, HEIGHT, WIDTH], [1, HEIGHT, WIDTH]])
@pytest.mark.parametrize("names", [["height", "width", "channels"], ["channels", "height", "width"], None])
def test_images_have_their_aspect_wherever_the_channels_are(
    shape: list[int], names: list[str] | None, tmp_path: Path
) -> None:
    root = write_legacy(tmp_path / "set", Legacy(lengths=(3, 2)))
    features = read_info(root)["features"]
    features["observation.images.wrist"] |= {"shape": shape, "names": names}
    change_info(root, features=features)
    (source,) = open_sources([SourceConfig(root=root)], [])
    session = Session(source, tmp_path / "labels.txt", None)
    review = Review(session, Images(source.reader), Proposals(source, []), tmp_path, merge_report)
    client = TestClient(
        create_app(review, token="secret", host="127.0.0.1"), base_url="http://127.0.0.1:8765"
    )
    assert client.get("/secret/api/state").json()["aspects"] == [WIDTH / HEIGHT]


def test_as_many_images_are_kept_wherever_the_channels_are(tmp_path: Path) -> None:
    kept: list[Any] = []
    for shape in ([HEIGHT, WIDTH, 3], [3, HEIGHT, WIDTH]):
        root = write_legacy(tmp_path / f"set{len(kept)}", Legacy(lengths=(12,)))
        features = read_info(root)["features"]
        features["observation.images.wrist"]["shape"] = shape
        change_info(root, features=features)
        (source,) = open_sources([SourceConfig(root=root)], [])
        images = Images(source.reader)
        images.strip(0, "observation.images.wrist", 0)  # waits for all of the episode
        kept.append(images.kept_bytes)
    assert kept[0] == kept[1]


def test_a_file_that_cannot_be_written_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_legacy(tmp_path / "set", Legacy())
    monkeypatch.setattr(Session, "trouble", lambda _: "it is read-only")
    assert review(root) == 0
    assert capsys.readouterr().err == "warning: labels cannot be saved: it is read-only\n"

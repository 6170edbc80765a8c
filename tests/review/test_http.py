"""What the page's server accepts, saves and refuses."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from factories import tree
from PIL import Image
from starlette.testclient import TestClient

from lerobot_grasp_plugin.commands.render import merge_report
from lerobot_grasp_plugin.ops.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.ops.recipe import SourceConfig
from lerobot_grasp_plugin.ops.sources import open_sources
from lerobot_grasp_plugin.review.app import Review, create_app
from lerobot_grasp_plugin.review.pictures import Pictures
from lerobot_grasp_plugin.review.session import Session

BASE = "http://127.0.0.1:8765"
ORIGIN = {"origin": BASE}


@pytest.fixture
def site(recorded: Callable[[str], Path], tmp_path: Path) -> SimpleNamespace:
    root, path = recorded("av1"), tmp_path / "labels.txt"
    mine = f"# by hand\n# dataset path: {root}\n00: 3-  # sure\n"
    path.write_text(f"{mine}\n# dataset path: someone/else_v1\n05: 7\n")
    (source,) = open_sources([SourceConfig(root=root)], [])
    session = Session(source, path, None)
    pictures = Pictures(source.reader, cache_bytes=300_000)
    app = create_app(Review(session, pictures, tmp_path, merge_report), token="secret", host="127.0.0.1")
    client = TestClient(app, base_url=BASE, raise_server_exceptions=False)
    return SimpleNamespace(client=client, session=session, path=path, root=root, pictures=pictures)


def post(site: SimpleNamespace, path: str, **body: Any) -> Any:
    version = site.client.get("/secret/api/state").json()["version"]
    return site.client.post(f"/secret/api/{path}", json={"version": version, **body}, headers=ORIGIN)


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/api/state", "//", "/secretx/app.js"])
def test_without_the_token_nothing_is_served(site: SimpleNamespace, path: str) -> None:
    assert site.client.get(BASE + path).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "10.0.0.1"]
)
def test_a_strange_host_is_refused(site: SimpleNamespace, host: str) -> None:
    assert site.client.get("/secret/", headers={"host": host}).status_code == 403


def test_a_change_needs_its_own_origin(site: SimpleNamespace) -> None:
    before = site.path.read_text()
    for headers in (
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
    ):
        answer = site.client.post("/secret/api/label", json={"episode": 0, "ranges": []}, headers=headers)
        assert answer.status_code == 403
    assert site.client.post("/secret/api/undo", content="{}", headers=ORIGIN).status_code == 415
    assert site.path.read_text() == before


def test_no_path_reaches_the_file_system(site: SimpleNamespace) -> None:
    for path in ("../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2fapp.py", "app.py", "static/app.js"):
        assert site.client.get(f"/secret/{path}").status_code in (403, 404)
    for name in ("../out", "/tmp/out", "", "a/b", ".hidden", "a\0b", 5, None):
        assert post(site, "apply", name=name).status_code == 400


def test_the_page_needs_nothing_from_outside(site: SimpleNamespace) -> None:
    for name in ("", "style.css", "app.js", "strip.js", "marks.js"):
        answer = site.client.get(f"/secret/{name}")
        assert answer.status_code == 200
        assert "http://" not in answer.text
        assert "https://" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_every_change_is_saved_and_nothing_else_changes(site: SimpleNamespace) -> None:
    before = site.path.read_text()
    site.path.chmod(0o640)
    state = post(site, "label", episode=0, ranges=[[1, 3], [4, None]]).json()
    assert state["labels"]["0"] == [[1, 3], [4, None]]
    assert site.path.read_text() == before.replace("00: 3-", "00: 2-3, 5-")
    assert site.path.stat().st_mode & 0o777 == 0o640
    post(site, "label", episode=1, ranges=[])
    assert site.path.read_text() == before.replace("00: 3-  # sure", "00: 2-3, 5-  # sure\n01: all fail")
    assert post(site, "undo").json()["undo"] == 1
    assert post(site, "undo").json()["undo"] == 0
    assert site.path.read_text() == before
    assert [path.name for path in site.path.parent.iterdir()] == ["labels.txt"]


@pytest.mark.parametrize("ranges", [[[0, 10_000]], [[-1, 3]], [[3, 3]], "all", [[1]], [["a", None]], [5]])
def test_wrong_frames_are_refused(site: SimpleNamespace, ranges: Any) -> None:
    before = site.path.read_text()
    assert post(site, "label", episode=0, ranges=ranges).status_code == 400
    assert post(site, "label", episode=10_000, ranges=[]).status_code == 400
    assert site.path.read_text() == before


def test_a_change_from_outside_is_never_overwritten(site: SimpleNamespace) -> None:
    outside = site.path.read_text().replace("sure", "not sure")
    site.path.write_text(outside)
    assert site.client.get("/secret/api/state").json()["changed_outside"] is True
    assert post(site, "label", episode=0, ranges=[]).status_code == 409
    assert site.path.read_text() == outside
    site.path.write_text(outside + "00: x\n")
    assert post(site, "load").status_code == 422
    site.path.write_text(outside)
    assert post(site, "load").json()["changed_outside"] is False
    assert post(site, "label", episode=0, ranges=[]).status_code == 200
    assert site.path.read_text() == outside.replace("00: 3-", "00: all fail")


def test_an_old_page_is_told(site: SimpleNamespace) -> None:
    body = {"episode": 0, "ranges": [], "version": "0" * 64}
    assert site.client.post("/secret/api/label", json=body, headers=ORIGIN).status_code == 409


def test_pictures_are_exact_and_bounded(site: SimpleNamespace) -> None:
    reader = site.session.source.reader
    camera = reader.info.camera_keys[0]
    for episode, length in enumerate(site.session.lengths):
        assert site.client.get(f"/secret/pictures/{episode}/0/strip/0").status_code == 200
        for frame, pixels in EpisodeFrames(reader).decode(episode, camera):
            shown = site.client.get(f"/secret/pictures/{episode}/0/frame/{frame}/png").content
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown))), pixels)
        assert site.client.get(f"/secret/pictures/{episode}/0/frame/{length}/png").status_code == 404
    assert site.client.get("/secret/pictures/0/99/strip/0").status_code == 404
    assert site.client.get("/secret/pictures/0/0/strip/99").status_code == 404
    assert site.pictures.cached_bytes <= 300_000 * 2


def test_the_source_is_only_read_and_the_figures_fit(site: SimpleNamespace) -> None:
    before = tree(site.root)
    assert site.client.get("/secret/api/signals/0").json()["curves"]
    found = site.client.get("/secret/api/statistics").json()
    length = site.session.lengths[0]
    assert found["episodes"] == [{"episode": 0, "frames": length, "success_frames": length - 2}]
    assert sum(found["starts"]) == 1
    command = post(site, "command", name="out", unlisted="fail").json()["command"]
    assert str(site.path) in command
    assert "--unlisted fail" in command
    assert post(site, "apply", name="out").status_code == 422
    assert "Wrote" in post(site, "apply", name="out", unlisted="fail").json()["report"]
    assert (site.path.parent / "out/meta/info.json").is_file()
    assert tree(site.root) == before


def test_a_disk_that_cannot_be_written_is_said(
    site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.path.read_text()

    def refuse(path: Path, data: bytes) -> None:
        raise OSError(30, "Read-only file system", f"{path}.staging")

    monkeypatch.setattr("lerobot_grasp_plugin.review.session._replace_file", refuse)
    answer = post(site, "label", episode=0, ranges=[])
    assert answer.status_code == 500
    assert answer.json()["error"] == (
        f"not saved: Read-only file system: {site.path}. Nothing was changed on disk."
    )
    monkeypatch.undo()
    state = site.client.get("/secret/api/state").json()
    assert (state["labels"]["0"], state["undo"]) == ([[2, None]], 0)
    assert site.path.read_text() == before

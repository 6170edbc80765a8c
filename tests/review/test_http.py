"""What the page's server accepts, saves and refuses."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from lerobot_grasp_plugin.commands.render import merge_report
from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from lerobot_grasp_plugin.review.app import Review, create_app
from lerobot_grasp_plugin.review.images import Images
from lerobot_grasp_plugin.review.proposals import Proposals
from lerobot_grasp_plugin.review.session import Session
from tests.support.factories import tree

BASE = "http://127.0.0.1:8765"
ORIGIN = {"origin": BASE}
TABS = itertools.count()


@pytest.fixture
def site(recorded: Callable[[str], Path], tmp_path: Path) -> SimpleNamespace:
    root, path = recorded("av1"), tmp_path / "labels.txt"
    mine = f"# by hand\n# dataset path: {root}\n00: 3-  # sure\n"
    path.write_text(f"{mine}\n# dataset path: someone/else_v1\n05: 7\n")
    (source,) = open_sources([SourceConfig(root=root)], [])
    session = Session(source, path, None)
    images = Images(source.reader, strip_bytes=9_000, frame_bytes=60_000)
    review = Review(session, images, Proposals(source, []), tmp_path, merge_report)
    app = create_app(review, token="secret", host="127.0.0.1")
    client = TestClient(app, base_url=BASE, raise_server_exceptions=False)
    return SimpleNamespace(client=client, session=session, path=path, root=root, images=images)


def post(site: SimpleNamespace, path: str, **body: Any) -> Any:
    return site.client.post(f"/secret/api/{path}", json={"serial": 0, **body}, headers=ORIGIN)


def change(site: SimpleNamespace, episode: int, after: Any, **body: Any) -> Any:
    """Sends a change made on what the episode is now, by a tab of its own."""
    before = label(site, episode)["ranges"]
    one = {"number": 1, "episode": episode, "before": before, "after": after, **body}
    return post(site, "change", tab=f"tab{next(TABS)}", changes=[one])


def news(site: SimpleNamespace, after: int = 0) -> Any:
    return site.client.get(f"/secret/api/news/{after}").json()


def label(site: SimpleNamespace, episode: int) -> Any:
    labels = site.client.get("/secret/api/state").json()["news"]["labels"]
    return labels.get(str(episode), {"ranges": None, "changed": False})


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
        answer = site.client.post("/secret/api/change", json={"episode": 0, "after": []}, headers=headers)
        assert answer.status_code == 403
    assert site.client.post("/secret/api/load", content="{}", headers=ORIGIN).status_code == 415
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
    assert news(site) == {
        "serial": 0,
        "labels": {},
        "notes": {},
        "definition": None,
        "index_base": 1,
        "trouble": None,
        "changed_outside": False,
    }
    found = change(site, 0, [[1, 3], [4, None]]).json()
    assert found["serial"] == 1
    assert found["labels"] == {"0": {"ranges": [[1, 3], [4, None]], "changed": True}}
    assert site.path.read_text() == before.replace("00: 3-", "00: 2-3, 5-")
    assert site.path.stat().st_mode & 0o777 == 0o640
    change(site, 1, [])
    assert site.path.read_text() == before.replace("00: 3-  # sure", "00: 2-3, 5-  # sure\n01: all fail")
    assert list(news(site, 1)["labels"]) == ["1"]
    change(site, 1, None)
    assert news(site, 2)["labels"] == {"1": {"ranges": None, "changed": False}}
    change(site, 0, [[2, None]])
    assert site.path.read_text() == before
    assert [path.name for path in site.path.parent.iterdir()] == ["labels.txt"]


@pytest.mark.parametrize("ranges", [[[0, 10_000]], [[-1, 3]], [[3, 3]], "all", [[1]], [["a", None]], [5]])
def test_wrong_frames_are_refused(site: SimpleNamespace, ranges: Any) -> None:
    before = site.path.read_text()
    assert change(site, 0, ranges).status_code == 400
    assert change(site, 0, [], before=ranges).status_code in (400, 409)
    assert change(site, 10_000, []).status_code == 400
    for wrong in ({"number": "1"}, {"number": -1}):
        assert change(site, 0, [], **wrong).status_code == 400
    odd: dict[str, Any]
    for odd in ({"tab": 1}, {"tab": ""}, {"changes": {}}, {"changes": [1]}, {"serial": None}):
        assert post(site, "change", **{"tab": "a", "changes": [], **odd}).status_code == 400
    assert site.path.read_text() == before


def test_a_change_happens_once_and_in_order(site: SimpleNamespace) -> None:
    def send(*changes: Any) -> Any:
        return post(site, "change", tab="mine", changes=list(changes))

    first = {"number": 1, "episode": 0, "before": [[2, None]], "after": []}
    second = {"number": 2, "episode": 0, "before": [], "after": [[2, None]]}
    assert send(first).status_code == 200
    assert send(first, second).status_code == 200  # the first answer was lost
    assert label(site, 0)["ranges"] == [[2, None]]
    assert send(first).status_code == 200  # it was late
    assert label(site, 0)["ranges"] == [[2, None]]
    # one that is refused ends the list, and does not happen later either
    third = {"number": 3, "episode": 0, "before": [[2, None]], "after": [[4, None]]}
    fourth = {"number": 4, "episode": 0, "before": [[3, None]], "after": [[1, 2]]}
    fifth: dict[str, Any] = {"number": 5, "episode": 1, "before": None, "after": []}
    answer = send(third, fourth, fifth)
    assert (answer.status_code, answer.json()["number"]) == (409, 4)
    assert (label(site, 0)["ranges"], label(site, 1)["ranges"]) == ([[4, None]], None)
    assert change(site, 0, [[3, None]]).status_code == 200
    assert send(third, fourth, fifth).json()["number"] == 4
    assert send(fifth).status_code == 200
    assert (label(site, 0)["ranges"], label(site, 1)["ranges"]) == ([[3, None]], [])


def test_tabs_do_not_overwrite_each_other(site: SimpleNamespace) -> None:
    assert change(site, 0, [[3, None]], before=[[2, None]]).status_code == 200
    answer = change(site, 0, [], before=[[2, None]])
    assert (answer.status_code, answer.json()["error"]) == (
        409,
        "its labels were changed elsewhere",
    )
    assert change(site, 1, [], before=None).status_code == 200  # another episode
    assert label(site, 0)["ranges"] == [[3, None]]


def test_a_change_from_outside_is_never_overwritten(site: SimpleNamespace) -> None:
    outside = site.path.read_text().replace("sure", "not sure")
    site.path.write_text(outside)
    assert news(site)["changed_outside"] is True
    answer = change(site, 0, [])
    assert (answer.status_code, answer.json()["kind"]) == (409, "outside")
    assert site.path.read_text() == outside
    site.path.write_text(outside + "00: x\n")
    assert post(site, "load").status_code == 422
    site.path.write_text(outside + "# index_base: 1\n")
    site.path.write_text(outside.replace("00: 3-", "00: 4-"))
    found = post(site, "load").json()
    assert found["labels"] == {"0": {"ranges": [[3, None]], "changed": True}}
    assert found["changed_outside"] is False
    assert change(site, 0, []).status_code == 200
    assert site.path.read_text() == outside.replace("00: 3-", "00: all fail")


def test_images_are_exact_and_bounded(site: SimpleNamespace) -> None:
    reader = site.session.source.reader
    camera = reader.info.camera_keys[0]
    for episode, length in enumerate(site.session.lengths):
        assert site.client.get(f"/secret/images/{episode}/0/strip/0").status_code == 200
        for frame, pixels in EpisodeFrames(reader).decode(episode, camera):
            shown = site.client.get(f"/secret/images/{episode}/0/frame/{frame}/png").content
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown))), pixels)
        assert site.client.get(f"/secret/images/{episode}/0/frame/{length}/png").status_code == 404
    assert site.client.get("/secret/images/0/99/strip/0").status_code == 404
    assert site.client.get("/secret/images/0/0/strip/99").status_code == 404
    assert max(site.images.kept_bytes) <= 300_000


def test_notes_and_the_definition_of_success(site: SimpleNamespace) -> None:
    nothing = {"flag": None, "note": None}
    bad = {"flag": "bad", "note": "it   fell"}
    found = post(site, "note", serial=0, episode=1, before=nothing, after=bad).json()
    assert found["notes"] == {"1": {"flag": "bad", "note": "it fell"}}
    assert "00: 3-  # sure\n# flag 01: bad\n# note 01: it fell\n\n" in site.path.read_text()
    assert post(site, "note", serial=0, episode=1, before=nothing, after=bad).status_code == 409
    assert post(site, "note", serial=0, episode=99, before=nothing, after=bad).status_code == 400
    assert post(site, "note", serial=0, episode=1, before=[], after=bad).status_code == 400
    assert post(site, "note", serial=0, episode=0, before=nothing, after={"flag": 3}).status_code == 400
    assert post(site, "note", serial=0, episode=0, before=nothing, after={"flag": "\x00"}).status_code == 400
    found = post(site, "definition", serial=0, before=None, after="it is held").json()
    assert found["definition"] == "it is held"
    before = site.path.read_text()
    answer = post(site, "definition", serial=0, before="it is held", after="ranges are half-open")
    assert (answer.status_code, site.path.read_text()) == (422, before)
    assert post(site, "definition", serial=0, before=None, after="x").status_code == 409
    site.path.write_text(before + "# a word\n")
    answer = post(site, "definition", serial=0, before="it is held", after="x")
    assert (answer.status_code, answer.json()["kind"]) == (409, "outside")


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
        raise OSError(28, "No space left on device", f"{path}.staging")

    monkeypatch.setattr("lerobot_grasp_plugin.writers.whole.staged_file", refuse)
    assert news(site)["trouble"] is None
    answer = change(site, 0, [])
    said = f"{site.path} cannot be written: No space left on device"
    assert (answer.status_code, answer.json()["error"]) == (500, f"not saved: {said}")
    assert news(site)["trouble"] == said
    monkeypatch.undo()
    assert news(site)["trouble"] is None  # there is room again
    assert label(site, 0) == {"ranges": [[2, None]], "changed": False}
    assert site.path.read_text() == before
    assert [path.name for path in site.path.parent.iterdir()] == ["labels.txt"]


def test_a_folder_that_is_gone_and_a_file_that_is_protected_are_said(
    site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site.path.parent
    away = folder.rename(folder.with_name("away"))
    assert news(site)["trouble"] == f"the folder {folder} no longer exists"
    assert "no longer exists" in change(site, 0, []).json()["error"]
    away.rename(folder)
    assert news(site)["trouble"] is None
    monkeypatch.setattr("os.access", lambda path, mode: path != site.path)
    assert news(site)["trouble"] == f"{site.path} is write-protected"
    assert change(site, 0, []).status_code == 500
    monkeypatch.undo()
    assert change(site, 0, []).status_code == 200

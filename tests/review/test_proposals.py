"""The page's server asks labelers once for each episode, and one that fails disturbs nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lerobot_grasp_plugin import UsageError
from lerobot_grasp_plugin.commands.render import merge_report
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.file import FileLabelerConfig
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from lerobot_grasp_plugin.review.app import Review, create_app
from lerobot_grasp_plugin.review.images import Images
from lerobot_grasp_plugin.review.proposals import Proposals
from lerobot_grasp_plugin.review.session import Session
from tests.support.factories import Legacy, write_legacy


class Counting(LabelerConfig):
    """Proposes the last frame, fails in episode 1, and counts how often it is asked."""

    asked = 0

    @property
    def type(self) -> str:
        return "counting"

    def make(self, source: Source) -> Counting:
        return self

    def propose(self, episode: Episode) -> Proposal:
        self.asked += 1
        if episode.index == 1:
            raise ZeroDivisionError("no frame")
        return Proposal(IntervalSet([FrameInterval(episode.length - 1, episode.length)]), "the last", 0.5)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    root = write_legacy(tmp_path / "set", Legacy(lengths=(4, 5, 6), cameras=()))
    (opened,) = open_sources([SourceConfig(root=root)], [])
    return opened


def test_proposals_of_several_labelers(source: Source, tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_text("00: 2-3\n01: all fail\n")
    entry = {"reason": "seen", "confidence": 0.25, "curve": [0.1, 0.9, 0.8, 0.2], "record": {}}
    record = {"format": 1, "labeler": "x", "episodes": {"0": entry}}
    (tmp_path / "draft.proposals.json").write_text(json.dumps(record))
    counting = Counting()
    proposals = Proposals(source, [counting, FileLabelerConfig(path=draft), FileLabelerConfig(path=draft)])
    review = Review(
        Session(source, tmp_path / "labels.txt", None),
        Images(source.reader),
        proposals,
        tmp_path,
        merge_report,
    )
    client = TestClient(
        create_app(review, token="secret", host="127.0.0.1"), base_url="http://127.0.0.1:8765"
    )
    state = client.get("/secret/api/state").json()
    assert (state["labelers"], state["tracks"]) == (["counting", "file", "file 2"], True)
    assert [Proposals(source, [one]).has_tracks for one in (counting, FileLabelerConfig(path=draft))] == [
        False,
        True,
    ]

    def of(labeler: int, episode: int) -> dict[str, object]:
        found: dict[str, object] = client.get(f"/secret/api/proposals/{labeler}/{episode}").json()
        return found

    last = {"ranges": [[3, None]], "reason": "the last", "confidence": 0.5, "curve": None}
    assert [of(0, 0), of(0, 0), counting.asked] == [last, last, 1]
    failed = of(0, 1)
    assert (failed["ranges"], "ZeroDivisionError" in str(failed["reason"])) == (None, True)
    assert of(1, 0) == {"ranges": [[1, 3]], "reason": "seen", "confidence": 0.25, "curve": entry["curve"]}
    assert (of(2, 1)["ranges"], of(2, 1)["curve"]) == ([], None)
    assert of(1, 2)["ranges"] is None
    for wrong in ("3/0", "0/3"):
        assert client.get(f"/secret/api/proposals/{wrong}").status_code == 404


def test_wrong_settings_are_all_named_at_the_start(source: Source, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Proposals(source, [FileLabelerConfig(), FileLabelerConfig(path=tmp_path / "none.txt")])
    assert [problem.code for problem in caught.value.problems] == ["no-annotations", "unreadable-file"]

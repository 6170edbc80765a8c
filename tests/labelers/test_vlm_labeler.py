"""Labeler ``vlm`` against a server that answers well, late, wrongly, not at all, and at length."""

from __future__ import annotations

import base64
import io
import json
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lerobot_grasp_plugin import GraspError
from lerobot_grasp_plugin.commands.propose import main
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.labelers.chat import last_object
from lerobot_grasp_plugin.labelers.labeler import Proposal
from lerobot_grasp_plugin.labelers.proposing import propose
from lerobot_grasp_plugin.labelers.vlm import VlmLabelerConfig, read_answer
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import open_sources
from tests.support.chat_server import (
    Answer,
    ChatServer,
    breaks_off,
    floods,
    hangs,
    proposes,
    raw,
    says,
    serving,
)
from tests.support.factories import Legacy, write_legacy

CAMERAS = ("observation.images.front", "observation.images.wrist")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vlm") / "set"
    return write_legacy(folder, Legacy(lengths=(7, 4), cameras=(), images=CAMERAS))


def asked(root: Path, endpoint: str, **settings: object) -> dict[int, Proposal]:
    (source,) = open_sources([SourceConfig(root=root)], [])
    return propose(VlmLabelerConfig(endpoint=endpoint, model="eyes-1", **settings), source)  # type: ignore[arg-type]


def code_of(root: Path, endpoint: str, **settings: object) -> str:
    with pytest.raises(GraspError) as caught:
        asked(root, endpoint, **settings)
    (code,) = {problem.code for problem in caught.value.problems}
    return code


def test_the_question_has_sheets_and_definition_and_the_answer_becomes_ranges(root: Path) -> None:
    good = proposes([[2, 3], [6, 7]], confidence=0.75, reason="the cube is up")
    with serving(good, proposes([])) as server:
        proposals = asked(root, server.endpoint, definition="the cube is held", frames=4)
    assert proposals[0].success == IntervalSet([FrameInterval(1, 3), FrameInterval(5, 7)])
    assert (proposals[0].confidence, proposals[0].reason) == (0.75, "the cube is up")
    assert proposals[1].success == IntervalSet()
    body, headers = server.asked[0]
    assert (body["model"], body["temperature"], "Authorization" in headers) == ("eyes-1", 0, False)
    text, *images = body["messages"][0]["content"]
    assert "A frame is success when: the cube is held" in text["text"]
    assert "Task: pick the cube" in text["text"]
    assert "at 10 frames per second, numbered 1 to 7; one in 2 is shown" in text["text"]
    assert len(images) == 2
    for image in images:
        data = image["image_url"]["url"].removeprefix("data:image/jpeg;base64,")
        assert np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).shape[2] == 3
    assert proposals[0].record["answers"] == [
        json.dumps({"ranges": [[2, 3], [6, 7]], "confidence": 0.75, "reason": "the cube is up"})
    ]
    assert proposals[0].record["prompt"] == text["text"]
    assert len(server.asked[1][0]["messages"][0]["content"]) == 3


@pytest.mark.parametrize(
    "answer",
    [
        says('Let me think {about} it.\n```json\n{"ranges": [[2, 3]]}\n```\nHope that helps {you}!'),
        says('{"ranges": [[1, 1]]} no, wait: {"ranges": [[2, 3]], "confidence": "high"}'),
        says('{"thought": {"ranges": 3}, "ranges": [[2, 2], [3, 3]], "reason": 5}'),
    ],
)
def test_what_stands_around_the_answer_does_not_matter(answer: Answer, root: Path) -> None:
    with serving(answer) as server:
        proposal = asked(root, server.endpoint)[0]
    assert (proposal.success, proposal.confidence, proposal.reason) == (
        IntervalSet([FrameInterval(1, 3)]),
        None,
        "",
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says("I am sorry, I cannot help with that."), "I am sorry, I cannot help"),
        (says("That is against the rules.", field="refusal"), "against the rules"),
        (proposes([[0, 3]]), "[0, 3] is not a range"),
        (proposes([[2, 99]]), "[2, 99] is not a range"),
        (proposes([[3, 2]]), "[3, 2] is not a range"),
        (proposes([2, 3]), "2 is not a range"),
        (proposes([[1, True]]), "[1, True] is not a range"),
        (proposes("all"), "`ranges` is all, not a list"),
        (raw(b"<html>busy</html>"), "no text of a model: <html>busy</html>"),
        (raw(b'{"choices": []}'), "no text of a model"),
        (raw(b'{"choices": [{"message": {"content": [1]}}]}'), "no text of a model"),
        (raw(b"[" * 100_000), "no text of a model"),
        (raw(b"later", 503), "status 503: later"),
        (raw(b"slower", 429), "status 429: slower"),
        (breaks_off, "the connection failed"),
        (floods, "longer than"),
    ],
)
def test_an_answer_that_cannot_be_used_is_no_proposal(answer: Answer, said: str, root: Path) -> None:
    with serving(answer) as server:
        proposals = asked(root, server.endpoint)
        assert len(server.asked) == 4  # two attempts for each episode
    for proposal in proposals.values():
        assert proposal.success is None
        assert said in proposal.reason
        assert said in str(proposal.record["failure"])


def test_the_model_is_asked_again_with_what_was_wrong(root: Path) -> None:
    with serving(says("Frames 2 to 3, I think."), proposes([[2, 3]]), raw(b"", 500), proposes([])) as server:
        proposals = asked(root, server.endpoint)
    assert [proposal.success for proposal in proposals.values()] == [
        IntervalSet([FrameInterval(1, 3)]),
        IntervalSet(),
    ]
    _, answer, again = server.asked[1][0]["messages"]
    assert answer == {"role": "assistant", "content": "Frames 2 to 3, I think."}
    assert "no JSON object with `ranges`" in again["content"]
    assert len(proposals[0].record["answers"]) == 2
    assert len(server.asked[3][0]["messages"]) == 1


def test_an_answer_that_never_ends_is_given_up(root: Path) -> None:
    chats: list[ChatServer] = []
    with serving(hangs(chats)) as server:
        chats.append(server)
        proposals = asked(root, server.endpoint, timeout_s=1.0, attempts=1)
    assert {proposal.reason for proposal in proposals.values()} == {"no answer within 1 s"}


def test_a_server_that_refuses_or_is_not_there_ends_the_call(root: Path) -> None:
    with serving(raw(b"who are you?", 401)) as server:
        assert code_of(root, server.endpoint) == "endpoint-failed"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert code_of(root, f"http://127.0.0.1:{port}/v1") == "endpoint-failed"
    assert code_of(root, "eyes") == "endpoint-failed"


def test_settings_are_checked_before_anything_is_sent(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EYES_KEY", raising=False)
    (source,) = open_sources([SourceConfig(root=root)], [])
    config = VlmLabelerConfig(frames=0, attempts=0, camera_key="side", key_variable="EYES_KEY")
    with pytest.raises(GraspError) as caught:
        propose(config, source)
    assert [problem.code for problem in caught.value.problems] == [
        *["bad-value"] * 3,
        "missing-camera",
        "bad-value",
    ]


def test_the_key_is_sent_and_kept_nowhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EYES_KEY", "very-secret")
    draft = tmp_path / "draft.txt"
    with serving(proposes([[2, 3]], confidence=1, reason="frames start at 0")) as server:
        call = ["--root", str(root), "--labeler.type=vlm", f"--labeler.endpoint={server.endpoint}"]
        call += ["--labeler.model=eyes-1", "--labeler.key_variable=EYES_KEY", f"--output_path={draft}"]
        assert main(call) == 0
    assert server.asked[0][1]["Authorization"] == "Bearer very-secret"
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[-1] == f"Curves and answers are in {tmp_path / 'draft.proposals.json'}"
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert sorted(kept) == ["draft.proposals.json", "draft.txt"]
    assert not any("very-secret" in text for text in [out, *kept.values()])
    record = json.loads(kept["draft.proposals.json"])["episodes"]["1"]
    assert (record["confidence"], record["reason"]) == (1.0, "frames start at 0")
    assert record["record"]["model"] == "eyes-1"
    assert "00: 2-3" in kept["draft.txt"].splitlines()


def test_images_that_leave_the_machine_are_announced() -> None:
    assert VlmLabelerConfig().notice == ""
    assert "sent to api.example.org" in VlmLabelerConfig(endpoint="https://api.example.org/v1").notice


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ranges", "x"]), inner, max_size=2)
        ),
    ).map(json.dumps)
)
def test_no_answer_breaks_the_reading(answer: str) -> None:
    try:
        success, confidence, reason = read_answer(answer, 9)
    except ValueError:
        return
    assert last_object(answer, "ranges") is not None
    assert success.clip(9) == success
    assert confidence is None
    assert reason == ""

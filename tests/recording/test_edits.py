"""Earlier episodes that are replaced, deleted or inserted: noted while recording, carried out at the end."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import AnnotationError, DatasetError
from lerobot_grasp_plugin.recording import rearranging
from lerobot_grasp_plugin.recording.dialogue import ask_about
from lerobot_grasp_plugin.recording.edits import Edit, Edits
from lerobot_grasp_plugin.recording.rearranging import carry_out, drop_edits, pending_edits
from lerobot_grasp_plugin.sim.truth import EpisodeTruth, Truth, read_truth, truth_folder
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support.small_store import opened, save


def test_the_order_follows_every_edit():
    edits = Edits()
    assert edits.add("replace", 1, 3) is None
    assert edits.add("insert", 0, 3) is None
    assert edits.add("delete", 2, 3) is None
    assert edits.order(3) == [0, 1]
    assert [str(edit) for edit in edits.waiting] == [
        "episode 1 is replaced by the next accepted episode",
        "the next accepted episode goes before episode 0",
    ]
    edits.recorded(3)  # its attempt began before anything was asked for
    assert edits.order(4) == [0, 1, 3]
    edits.taken_back(3)
    for episode in (3, 4):
        assert edits.claim() is not None
        edits.recorded(episode)
    assert edits.claim() is None
    assert not edits.waiting
    assert edits.order(5) == [4, 0, 3]
    assert edits.order(6) == [4, 0, 3, 5]
    edits.taken_back(4)
    assert edits.order(4) == [0, 3]
    assert edits.lapse() == [Edit("insert", 0)]
    assert Edits.from_sidecar({"edits": json.loads(json.dumps(edits.to_json()))}).order(4) == [0, 3]


def test_an_edit_that_cannot_be_says_why():
    edits = Edits()
    assert edits.add("delete", 2, 2) == "episode 2 is not saved yet; the last saved one is 1"
    assert edits.add("delete", 0, 2) is None
    assert edits.add("replace", 0, 2) == "episode 0 is deleted already"
    assert edits.add("insert", 0, 2) == "episode 0 is deleted already"
    assert edits.add("delete", 1, 2) == "it is the only episode; use r to record it again"
    with pytest.raises(DatasetError, match="list of objects"):
        Edits.from_sidecar({"edits": [{"do": "eat", "episode": 1, "by": None}]})


def asked(store, *answers, **suggestions):
    shown, given = [], iter([*answers, ""])
    attempt = SimpleNamespace(success=IntervalSet(), length=5, suggestions=suggestions)
    return ask_about(lambda _: next(given), shown.append, store, attempt), shown


def test_a_suggestion_is_taken_by_one_key():
    store = SimpleNamespace(episodes=3)
    hooks = {"one": IntervalSet([FrameInterval(1, 3)]), "two": IntervalSet([FrameInterval(2, 5)])}
    verdict, shown = asked(store, "t", **hooks)
    assert (verdict.success, shown) == (hooks["one"], ["This episode: success 2-3"])
    assert asked(store, "t2", **hooks)[0].success == hooks["two"]
    verdict, shown = asked(store, "t", "t 1")
    assert (verdict.success, shown) == (IntervalSet(), ["There are 0 suggestions."] * 2)


@pytest.fixture
def edited(tmp_path):
    """A store with three episodes: 1 is to be replaced, 0 deleted, and another one inserted before 2."""
    said: list[str] = []
    store = opened(tmp_path / "arm", said)
    for episode in range(3):
        save(store, 5 + episode, 10 * episode)
    _, shown = asked(store, "r 1", "d0", "i 2", "d 0", "?")
    assert shown[:4] == [
        "Episode 1 is replaced by the next accepted episode, when the session ends.",
        "Episode 0 is deleted, when the session ends.",
        "The next accepted episode goes before episode 2, when the session ends.",
        "episode 0 is deleted already",
    ]
    truth = Truth(held=True, lifted=True, cube=(0.2, 0.0, 0.0))
    for episode in range(5):
        EpisodeTruth(episode, 10 + episode, [truth]).write(truth_folder(None, store.root))
    store.said = said
    return store


def rows(root) -> list[list[float]]:
    import pyarrow.dataset

    files = sorted(str(path) for path in (root / "data").rglob("*.parquet"))
    table = pyarrow.dataset.dataset(files).to_table(columns=["episode_index", "index", "action"])
    found: dict[int, list[float]] = {}
    for row in table.sort_by("index").to_pylist():
        found.setdefault(row["episode_index"], []).append(row["action"])
    return [found[episode] for episode in range(len(found))]


def check(root) -> None:
    """Dataset, annotation file, sidecar and truth have the episodes 3, 4, 2 of those that were recorded."""
    assert [episode[0] for episode in rows(root)] == [30, 40, 20]
    assert [len(episode) for episode in rows(root)] == [6, 7, 7]
    raw = json.loads((root / "meta/grasp_recording.json").read_text())
    assert [raw["episodes"][str(episode)]["recorded_at"] for episode in range(3)] == [30, 40, 20]
    assert "edits" not in raw
    text = root.with_name("arm_annotations.txt").read_text()
    assert text == "# dataset path: lab/arm\n00: 3-4\n01: 3-4\n02: 3-4   # third\n"
    truth = read_truth(truth_folder(None, root))
    assert [(number, truth[number].attempt) for number in sorted(truth)] == [(0, 13), (1, 14), (2, 12)]
    assert verify_dataset(root).ok
    assert not list(root.parent.glob(".*"))


def record_rest(store) -> None:
    save(store, 6, 30)
    save(store, 7, 40)
    path = store.annotations.path
    path.write_text(path.read_text().replace("02: 3-4\n", "02: 3-4   # third\n"))


def test_edits_are_carried_out_in_everything_at_once(edited):
    save(edited, 6, 30)
    assert [edit.by for edit in edited.edits.settled] == [3, None]
    edited.take_back()
    assert [edit.by for edit in edited.edits.waiting] == [None, None]
    record_rest(edited)
    edited.close()
    root, annotations = edited.root, edited.annotations.path
    before, text = rows(root), annotations.read_text()
    annotations.write_text(text + "05: all fial\n")
    with pytest.raises(AnnotationError, match="fial"):
        carry_out(root, edited.repo_id, pending_edits(root), edited.said.append)
    assert rows(root) == before
    annotations.write_text(text)
    report = carry_out(root, edited.repo_id, pending_edits(root), edited.said.append)
    check(root)
    backup = report.backup
    assert rows(backup) == before
    assert backup.with_name(f"{backup.name}_annotations.txt").read_text().count("\n") == 6
    assert len(read_truth(truth_folder(None, backup))) == 5


def test_edits_outlive_a_kill_and_resume_carries_them_out(edited):
    record_rest(edited)
    edited._lock.release()  # and the process is gone
    store = opened(edited.root, said := [], resume=True)
    assert any(line.startswith("Applying edits of the last session: episode 1 is") for line in said)
    assert store.episodes == 3
    store.close()
    check(edited.root)


def test_a_kill_between_dataset_and_annotation_file_is_made_up_for(edited, monkeypatch):
    record_rest(edited)
    edited.close()
    with monkeypatch.context() as patched:
        patched.setattr(rearranging, "put_in_place", lambda root: None)
        backup = carry_out(edited.root, edited.repo_id, pending_edits(edited.root), edited.said.append).backup
    opened(edited.root, resume=True).close()
    check(edited.root)
    assert backup.with_name(f"{backup.name}_annotations.txt").read_text().count("\n") == 6
    assert len(read_truth(truth_folder(None, backup))) == 5


def test_what_nothing_was_recorded_for_stays(edited):
    edited.close()
    dropped = "No episode was recorded for this edit, which is dropped: "
    assert [line for line in edited.said if "which is dropped" in line] == [
        f"{dropped}episode 1 is replaced by the next accepted episode.",
        f"{dropped}the next accepted episode goes before episode 2.",
    ]
    assert pending_edits(edited.root) == [Edit("delete", 0)]
    drop_edits(edited.root)
    assert pending_edits(edited.root) == []

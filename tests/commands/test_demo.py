"""The demo as a person runs it: what it records, what it refuses, and what an error leaves behind."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pytest

from lerobot_grasp_plugin.commands import demo as command
from lerobot_grasp_plugin.demo import datasets, recordings, seed
from lerobot_grasp_plugin.findings.problem import Problem, VerificationError
from tests.support.lerobot_judge import open_set

BIN = Path(sys.executable).parent


def test_where_it_is_installed_the_demo_is_recorded_with_the_simulation(simulator, demo):
    printed = demo()[1]
    assert "on the simulated SO101" in printed
    assert "The physics agree with the annotations on 1927 of 1927 frames." in printed


def test_an_existing_folder_is_refused(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert command.main(["--output_dir", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert str(tmp_path) in message
    assert "--output_dir" in message
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_interrupt_while_recording_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(recording, root, progress, simulate):
        root.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(recordings, "_record", interrupted)
    assert command.main(["--output_dir", str(tmp_path / "demo"), "--simulate=false"]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (VerificationError(Problem("wrong-figure", "made 2, expected 3")), 1)],
)
def test_an_error_after_recording_leaves_nothing(tmp_path, monkeypatch, capsys, error, code):
    def failing(target, output_dir, progress):
        assert (output_dir / seed.ANNOTATION_FILE).is_file()
        raise error

    def made(recording, root, progress, simulate):
        root.mkdir(parents=True)
        return 0

    monkeypatch.setattr(recordings, "_record", made)
    monkeypatch.setattr(datasets, "check_recordings", lambda output_dir: None)
    monkeypatch.setattr(datasets, "build", failing)
    assert command.main(["--output_dir", str(tmp_path / "demo"), "--simulate=false"]) == code
    assert list(tmp_path.iterdir()) == []
    assert "nothing was written" in capsys.readouterr().err


def test_a_wrong_figure_is_an_error(tmp_path, monkeypatch):
    from lerobot_grasp_plugin.merging.report import MergeReport, SourceReport
    from lerobot_grasp_plugin.verify.report import VerifyReport

    def source(share, success_frames):
        return SourceReport(
            share.recording.repo_id, tmp_path, "v3.0", 0, share.frames, success_frames, None, 0, 0.0, ()
        )

    first, second = seed.REWARD.shares
    report = MergeReport(
        seed.REWARD.repo_id,
        tmp_path,
        [source(first, first.success_frames), source(second, 85)],
        [],
        {},
        [],
        VerifyReport(tmp_path, [], []),
    )
    monkeypatch.setattr(datasets, "merge", lambda config, progress: report)
    with pytest.raises(VerificationError) as caught:
        datasets.build(seed.REWARD, tmp_path)
    text = str(caught.value)
    assert "success frames: made 504, expected 523" in text
    assert "success frames from so101_grasp_only_negative_v1: made 85, expected 104" in text
    assert "episodes: made 0, expected 25" in text


def run(call, folder):
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}
    environment["HF_LEROBOT_HOME"] = str(folder / "lerobot_home")
    return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def labels(root):
    columns = ["index", "episode_index", "frame_index", "next.reward", "next.done"]
    table = pads.dataset(root / "data").to_table(columns=columns).sort_by("index")
    return {name: table[name].to_numpy() for name in columns}


def test_a_drawn_recording_is_read_as_it_was_drawn(tmp_path, monkeypatch):
    """What a machine without the simulation records, in two short episodes."""
    masks = [np.arange(12) >= 8, np.zeros(11, np.bool_)]
    short = replace(seed.POSITIVE, lengths=(12, 11))
    monkeypatch.setattr(seed, "RECORDINGS", (short,))
    monkeypatch.setattr(seed, "success_masks", lambda recording: masks)
    assert recordings.make_recordings(tmp_path / "demo") == 0
    dataset = open_set(tmp_path / "demo" / short.repo_id)
    assert [row["length"] for row in dataset.meta.episodes] == [12, 11]
    drawn = [
        frame
        for episode, success in enumerate(masks)
        for frame in recordings._drawn(success, np.random.default_rng([recordings._SEED, 0, episode]))
    ]
    assert len(dataset) == len(drawn)
    for row, (state, action, image) in enumerate(drawn):
        item = dataset[row]
        assert np.array_equal(item["observation.state"], state)
        assert np.array_equal(item["action"], action)
        coded = item[seed.CAMERA_KEY].numpy().transpose(1, 2, 0) * 255
        assert np.abs(coded - image).mean() < 8


def test_the_command_as_a_person_runs_it(demo, tmp_path):
    here, printed = demo()
    assert max(len(line) for line in printed.splitlines() if "next.done" not in line) <= 100
    assert sorted(path.name for path in here.iterdir()) == ["grasp_demo"]
    made = Path(shutil.copytree(here / "grasp_demo", tmp_path / "grasp_demo", copy_function=os.link))
    assert sorted(path.name for path in made.iterdir()) == ["gtgando", seed.ANNOTATION_FILE]

    reward = labels(made / "gtgando/so101_grasp_only_reward_v1")
    assert len(reward["index"]) == 1927
    assert reward["next.reward"].sum() == 523
    assert set(reward["next.reward"]) == {0.0, 1.0}
    positive = reward["episode_index"] < 15
    assert positive.sum() == 991
    assert reward["next.reward"][positive].sum() == 419
    assert reward["next.reward"][~positive].sum() == 104
    slipped = reward["next.reward"][reward["episode_index"] == 14]
    assert np.flatnonzero(slipped).tolist() == [*range(39, 48), *range(59, 62)]
    assert reward["next.done"].sum() == 25
    offline = labels(made / "gtgando/so101_grasp_only_offline_v1")
    assert np.array_equal(offline["index"], np.arange(1239))
    assert np.bincount(offline["episode_index"]).tolist() == [*seed.POSITIVE.lengths, 95, 76, 77]
    for recording in seed.RECORDINGS:
        rows = pads.dataset(made / recording.repo_id / "data").to_table()
        assert rows.num_rows == recording.frames
        assert pc.max(rows["timestamp"]).as_py() == pytest.approx((max(recording.lengths) - 1) / 10)

    squeezed = re.sub(" +", " ", printed)
    for line in (
        "so101_grasp_only_v1 15 991 419 42.3 %",
        "so101_grasp_only_negative_v1 10 936 104 11.1 %",
        "in all 25 1927 523 27.1 %",
        "in all 18 1239 492 39.7 %",
        "15 so101_grasp_only_negative_v1 2",
        "16-17 so101_grasp_only_negative_v1 7-8",
        "=== Verification ===",
        "Global indices: OK (contiguous)",
    ):
        assert line in squeezed

    by_hand = run(["bash", "-e", "-c", printed.partition("=== The same by hand ===")[2]], tmp_path)
    assert by_hand.returncode == 0, by_hand.stderr
    for target in seed.TARGETS:
        assert contents(made / "again" / target.name) == contents(made / target.repo_id)

    again = run([str(BIN / "lerobot-grasp-demo")], tmp_path)
    assert again.returncode == 2
    assert "the folder already exists" in again.stderr


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}

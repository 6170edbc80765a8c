"""End-effector actions and full states of joint recordings: options, refusals, sidecar."""

import json
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.merging.merge import merge
from lerobot_grasp_plugin.merging.recipe import KinematicsOptions, MergeConfig, SourceConfig
from lerobot_grasp_plugin.verify.verifier import verify_dataset
from tests.support import factories

NAMES = [
    f"{joint}.pos"
    for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
]
HOME = np.array([0.0, -22.0, 25.0, 80.0, 2.6, 60.0])

pytestmark = pytest.mark.skipif(find_spec("so101_nexus") is None, reason="the extra sim is not installed")


def joints(episode, rows, speed=0.4):
    """Goals of a smooth movement, float32 (rows, 6), degrees and 0 to 100."""
    random = np.random.default_rng((7, episode))
    goals = HOME + np.cumsum(random.normal(0, speed, (rows, 6)), axis=0)
    goals[:, 5] = np.linspace(60, 5, rows)
    return goals.astype(np.float32)


def recording(root, *, lengths=(30, 25), speed=0.4, names=NAMES, action_names=None, change=lambda rows: rows):
    """A recording in joints, without cameras; the follower is where the row before sent it."""
    factories.write_legacy(root, factories.Legacy(lengths=lengths, cameras=(), stats=False, version="v2.1"))
    features = factories.read_info(root)["features"]
    features["action"] = {"dtype": "float32", "shape": [6], "names": action_names or names}
    features["observation.state"] = {"dtype": "float32", "shape": [6], "names": names}
    factories.change_info(root, features=features)
    for episode, rows in enumerate(lengths):
        goals = change(joints(episode, rows, speed)).astype(np.float32)
        states = goals[np.maximum(np.arange(rows) - 1, 0)]
        path = root / factories.LEGACY_DATA.format(episode_chunk=0, episode_index=episode)
        table = pq.read_table(path)
        for name, values in (("action", goals), ("observation.state", states)):
            lists = pa.FixedSizeListArray.from_arrays(values.reshape(-1), 6)
            table = table.set_column(table.schema.get_field_index(name), name, lists)
        pq.write_table(table, path)
    return root


def derive(tmp_path, *roots, new="out", **options):
    kinematics = options.pop("kinematics", {})
    return merge(
        MergeConfig(
            sources=[SourceConfig(root=root) for root in roots],
            new_root=tmp_path / new,
            **{"actions": "ee_delta", **options},
            kinematics=KinematicsOptions(**kinematics),
        )
    )


def problems(tmp_path, *roots, **options):
    with pytest.raises(GraspError) as caught:
        derive(tmp_path, *roots, **options)
    assert not (tmp_path / "out").exists()
    return {problem.code: problem for problem in caught.value.problems}


def column(root, name):
    return np.array(factories.data_table(root)[name].to_pylist(), dtype=np.float32)


def test_the_output_is_sound_and_says_how_it_was_made(tmp_path):
    root = recording(tmp_path / "joints")
    report = derive(tmp_path, root, state="full")
    assert any("clipped" in note for note in report.sources[0].notes)
    info = factories.read_info(tmp_path / "out")
    assert info["features"]["action"]["names"] == ["delta_x", "delta_y", "delta_z", "gripper"]
    assert info["features"]["observation.state"]["shape"] == [18]
    actions = column(tmp_path / "out", "action")
    assert np.abs(actions[:, :3]).max() <= 1.0
    assert set(np.unique(actions[:, 3])) <= {0.0, 1.0, 2.0}
    found = verify_dataset(tmp_path / "out", "me/out", thorough=True).problems
    assert not [problem for problem in found if problem.severity == "error"]
    sidecar = json.loads((tmp_path / "out/meta/grasp_provenance.json").read_text())
    made = sidecar["sources"][0]["derived"]
    assert made["actions"] == "ee_delta"
    assert made["state"] == "full"
    assert made["end_effector_step_sizes"] == {"x": 0.02, "y": 0.02, "z": 0.02}
    assert len(made["urdf_sha256"]) == 64
    assert sidecar["recipe"]["actions"] == "ee_delta"


def test_two_runs_give_the_same_bytes(tmp_path):
    root = recording(tmp_path / "joints")
    derive(tmp_path, root, new="a", state="full")
    derive(tmp_path, root, new="b", state="full")
    one, other = (factories.tree(tmp_path / name) for name in "ab")
    assert {name: digest for name, digest in one.items() if name.startswith("data")} == {
        name: digest for name, digest in other.items() if name.startswith("data")
    }


def test_the_last_episode_is_the_same_alone(tmp_path):
    """An episode's actions depend on nothing but its rows."""
    root = recording(tmp_path / "joints")
    derive(tmp_path, root, new="all")
    merge(
        MergeConfig(
            sources=[SourceConfig(root=root, episodes=[1])], new_root=tmp_path / "one", actions="ee_delta"
        )
    )
    np.testing.assert_allclose(
        column(tmp_path / "one", "action"), column(tmp_path / "all", "action")[30:], atol=1e-6
    )


def test_joints_from_minus_100_to_100_are_the_same_joints(tmp_path):
    """Of LeRobot's calibration of the follower; the state becomes degrees, which the environment gives."""
    calibration = {
        name.removesuffix(".pos"): {
            "id": 1,
            "drive_mode": 0,
            "homing_offset": 0,
            "range_min": 800,
            "range_max": 3300,
        }
        for name in NAMES
    }
    (tmp_path / "follower.json").write_text(json.dumps(calibration))
    half = 1250 * 360 / 4095
    unit = np.array([half / 100] * 5 + [1.0])
    degrees = recording(tmp_path / "degrees")
    ranged = recording(tmp_path / "ranged", change=lambda rows: (rows / unit).astype(np.float32))
    derive(tmp_path, degrees, new="a", state="full")
    derive(
        tmp_path,
        ranged,
        new="b",
        state="full",
        kinematics={"joint_unit": "range", "calibration": tmp_path / "follower.json"},
    )
    np.testing.assert_allclose(column(tmp_path / "b", "action"), column(tmp_path / "a", "action"), atol=1e-3)
    np.testing.assert_allclose(
        column(tmp_path / "b", "observation.state"), column(tmp_path / "a", "observation.state"), atol=2e-3
    )


def test_too_many_clipped_steps_are_refused_with_the_size_that_would_do(tmp_path):
    root = recording(tmp_path / "joints", speed=3.0)
    found = problems(tmp_path, root, kinematics={"end_effector_step_sizes": dict.fromkeys("xyz", 0.004)})
    assert "episode 0 (" in found["steps-clipped"].message
    sizes = found["steps-clipped"].hint.partition("'{")[2].partition("}'")[0]
    sizes = {part[0]: float(part[2:]) for part in sizes.split(", ")}
    report = derive(tmp_path, root, kinematics={"end_effector_step_sizes": sizes, "max_clipped_share": 0.0})
    assert "0.0 % of the steps" in report.sources[0].notes[0]


def test_everything_that_is_wrong_is_named_at_once(tmp_path):
    unnamed = recording(tmp_path / "unnamed", names=None)
    turned = recording(tmp_path / "turned", names=[*NAMES[1:5], NAMES[0], NAMES[5]])
    strange = recording(tmp_path / "strange", names=["a.pos", *NAMES[1:]])
    radians = recording(tmp_path / "radians", change=lambda rows: np.radians(rows).astype(np.float32))
    found = problems(tmp_path, unnamed, turned, strange, radians, state="full")
    assert {"no-joint-names", "joint-order", "unknown-joints", "joint-unit"} <= set(found)
    found = problems(tmp_path, unnamed, radians, kinematics={"urdf_path": "nowhere.urdf"})
    assert {"no-joint-names", "joint-unit", "no-urdf"} <= set(found)
    found = problems(tmp_path, unnamed)
    assert "--kinematics.joint_names" in found["no-joint-names"].hint


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rows: np.radians(rows).astype(np.float32), "joint-unit"),
        (lambda rows: (rows * [1, 1, 1, 1, 1, 0.01]).astype(np.float32), "joint-unit"),
        (lambda rows: (rows * 20).astype(np.float32), "joint-unit"),
    ],
    ids=["radians", "gripper from 0 to 1", "ticks"],
)
def test_values_that_are_not_in_the_stated_unit_are_refused(tmp_path, change, code):
    assert code in problems(tmp_path, recording(tmp_path / "joints", change=change))


def test_values_that_are_not_finite_are_refused(tmp_path):
    root = recording(tmp_path / "joints")
    path = next((root / "data").rglob("*.parquet"))
    table = pq.read_table(path)
    rows = np.array(table["action"].to_pylist(), dtype=np.float32)
    rows[3, 2] = np.nan
    column = pa.array(rows.tolist(), table.schema.field("action").type)
    pq.write_table(
        table.set_column(table.schema.get_field_index("action"), table.schema.field("action"), column), path
    )
    assert "bad-joints" in problems(tmp_path, root)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"urdf_path": "nowhere.urdf"}, "no-urdf"),
        ({"urdf_path": "package://no_such_package/a.urdf"}, "no-urdf"),
        ({"target_frame_name": "hand"}, "unknown-frame"),
        ({"end_effector_step_sizes": {"x": 0.02}}, "bad-step-sizes"),
        ({"end_effector_step_sizes": dict.fromkeys("xyz", 20.0)}, "bad-step-sizes"),
        ({"joint_unit": "radians"}, "unknown-choice"),
        ({"max_clipped_share": 2.0}, "bad-value"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path, options, code):
    root = recording(tmp_path / "joints", lengths=(5,))
    assert code in problems(tmp_path, root, kinematics=options)


def test_a_urdf_that_is_none_is_named(tmp_path):
    root = recording(tmp_path / "joints", lengths=(5,))
    (tmp_path / "arm.urdf").write_text("<robot><joint")
    assert "bad-urdf" in problems(tmp_path, root, kinematics={"urdf_path": str(tmp_path / "arm.urdf")})


def test_derived_and_derived_merge_and_other_step_sizes_do_not(tmp_path):
    root = recording(tmp_path / "joints")
    derive(tmp_path, root, new="a")
    derive(tmp_path, root, new="b", kinematics={"end_effector_step_sizes": dict.fromkeys("xyz", 0.03)})
    more = recording(tmp_path / "more")
    derive(tmp_path, tmp_path / "a", more, new="both")
    sidecar = json.loads((tmp_path / "both/meta/grasp_provenance.json").read_text())
    assert [source["derived"]["actions"] for source in sidecar["sources"]] == ["ee_delta", "ee_delta"]
    assert "step-sizes" in problems(tmp_path, tmp_path / "a", tmp_path / "b", actions="keep")
    assert "step-sizes" in problems(tmp_path, tmp_path / "b", more)


def test_parts_of_episodes_are_derived_and_what_was_derived_is_known_of_them(tmp_path):
    root, frames = recording(tmp_path / "joints"), {1: "3-12, 20-"}
    derive(tmp_path, root, new="whole")
    for name, source, options in (
        ("cut", tmp_path / "whole", {}),
        ("derived", root, {"actions": "ee_delta"}),
    ):
        config = SourceConfig(root=source, frames=frames)
        merge(MergeConfig(sources=[config], new_root=tmp_path / name, **options))
        made = json.loads((tmp_path / name / "meta/grasp_provenance.json").read_text())["sources"][0]
        assert made["derived"]["actions"] == "ee_delta"
        assert column(tmp_path / name, "action").shape == (30 + 10 + 6, 4)
    whole, cut = column(tmp_path / "whole", "action"), column(tmp_path / "cut", "action")
    assert np.array_equal(cut[30:], np.concatenate([whole[32:42], whole[49:55]]))

"""What the physics say of each way the script plays an attempt."""

import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.sim.grasp_motion import OUTCOMES, parse_outcomes, plan_grasp, plan_home
from lerobot_grasp_plugin.sim.truth import EpisodeTruth, read_truth

ATTEMPT_S, SECONDS = 3.0, 3.4


def play(world, outcome, seed):
    motion = plan_grasp(world, outcome, ATTEMPT_S, np.random.default_rng(seed))
    truths = []
    for frame in range(round(SECONDS * world.fps)):
        truths.append(world.truth())
        world.act(motion.at(frame / world.fps))
    return truths


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_truth_is_the_outcome_that_was_asked_for(make_world, outcome):
    world = make_world(seed=7)
    for attempt in range(4):
        truths = play(world, outcome, attempt)
        grasped = [truth.grasped for truth in truths]
        assert not any(grasped[:20])
        if outcome in ("success", "regrasp"):
            first = grasped.index(True)
            assert all(grasped[first + 5 :])
            assert len(grasped) - first > 10
        elif outcome == "drop":
            assert sum(grasped) > 8
            assert not any(grasped[-3:])
            assert truths[-1].cube[2] < 0.02
        else:
            assert not any(grasped)
            assert not any(truth.lifted for truth in truths)
        home = plan_home(world, 1.0)
        for frame in range(36):
            world.act(home.at(frame / world.fps))
        world.lay_out()


def test_only_success_and_a_second_try_end_with_the_cube_held(make_world):
    ends = {}
    for outcome in OUTCOMES:
        ends[outcome] = play(make_world(seed=3), outcome, 0)[-1].held
    assert {outcome for outcome, held in ends.items() if held} == {"success", "regrasp"}


def test_the_seed_decides_everything(make_world):
    runs = {}
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        world = make_world(seed)
        truths = play(world, "success", 5)
        runs[name] = (truths, world.joints.tobytes())
    assert runs["one"] == runs["again"]
    assert runs["one"] != runs["other"]


def test_each_attempt_has_its_own_place_for_the_cube(make_world):
    world = make_world()
    places = []
    for _ in range(5):
        places.append(tuple(world.cube_position))
        world.lay_out()
    assert len(set(places)) == 5
    assert all(0.17 < np.hypot(x, y) < 0.26 for x, y, _ in places)


def test_images_have_the_size_that_was_asked_for_and_show_the_cube(simulator):
    from lerobot_grasp_plugin.sim.world import World

    world = World(fps=30, seed=0)
    for size in ((64, 48), (128, 96), (64, 48)):
        image = world.render("front", *size)
        assert image.shape == (size[1], size[0], 3)
        assert image.dtype == np.uint8
        red = (image[..., 0] > 90) & (image[..., 1] < 70) & (image[..., 2] < 70)
        assert red.any()
    world.close()


def test_the_truth_is_read_as_it_was_written(make_world, tmp_path):
    truths = play(make_world(), "success", 0)
    EpisodeTruth(4, 6, truths).write(tmp_path)
    read = read_truth(tmp_path)
    assert read == {4: EpisodeTruth(4, 6, truths)}
    assert [path.name for path in tmp_path.iterdir()] == ["episode_000004.json"]


def test_a_list_of_outcomes_is_read():
    assert parse_outcomes("drop") == ["drop"]
    assert parse_outcomes("success*3, miss,air") == ["success"] * 3 + ["miss", "air"]


@pytest.mark.parametrize(
    "text", ["sucess", "", "success,,miss", "success*", "success*0", "miss*-1", "drop*two"]
)
def test_what_is_no_outcome_is_named(text):
    with pytest.raises(UsageError, match="unknown-choice"):
        parse_outcomes(text)

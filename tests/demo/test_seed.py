"""The demo's table of figures, its motion and its images."""

import numpy as np
import pytest

from lerobot_grasp_plugin.core.grammar import parse
from lerobot_grasp_plugin.demo import seed
from lerobot_grasp_plugin.demo.motion import HOLDING, LIFTED, grasp_motion
from lerobot_grasp_plugin.demo.scene import HEIGHT, WIDTH, Scene


def success_counts(text: str) -> list[int]:
    sections = parse(text, name="annotations").annotations.sections
    return [
        sum(episode.success.count(recording.lengths[episode.episode_index]) for episode in section.episodes)
        for section, recording in zip(sections, seed.RECORDINGS, strict=True)
    ]


def test_lengths_add_up():
    assert [len(recording.lengths) for recording in seed.RECORDINGS] == [15, 10]
    assert [recording.frames for recording in seed.RECORDINGS] == [991, 936]


def test_annotations_give_the_success_frames():
    assert success_counts(seed.ANNOTATION_TEXT) == [419, 104]
    masks = [seed.success_masks(recording) for recording in seed.RECORDINGS]
    assert [sum(int(mask.sum()) for mask in of) for of in masks] == [419, 104]
    assert [[len(mask) for mask in of] for of in masks] == [list(r.lengths) for r in seed.RECORDINGS]


def test_read_as_0_indexed_it_is_one_frame_less_per_open_range():
    assert sum(success_counts("# index_base: 0\n" + seed.ANNOTATION_TEXT)) == 504


@pytest.mark.parametrize(
    ("target", "figures"), [(seed.REWARD, (25, 1927, 523)), (seed.OFFLINE, (18, 1239, 492))]
)
def test_expected_figures_follow_from_the_table(target, figures):
    assert (target.episodes, target.frames, target.success_frames) == figures
    for share in target.shares:
        masks = seed.success_masks(share.recording)
        assert sum(len(masks[episode]) for episode in share.chosen) == share.frames
        assert sum(int(masks[episode].sum()) for episode in share.chosen) == share.success_frames


ALL_EPISODES = [(r, e) for r in seed.RECORDINGS for e in range(len(r.lengths))]


@pytest.mark.parametrize(("recording", "episode"), ALL_EPISODES)
def test_the_cube_is_up_in_the_success_frames_alone(recording, episode):
    success = seed.success_masks(recording)[episode]
    motion = grasp_motion(success, np.random.default_rng([1, episode]))
    assert np.array_equal(motion.held, success)
    assert (motion.height[success] >= LIFTED - 1e-9).all()
    assert np.allclose(motion.opening[success], HOLDING)
    assert np.allclose(motion.cube[success], motion.gripper[success])
    still = ~success[1:] & ~success[:-1]
    assert (motion.cube[1:][still] == motion.cube[:-1][still]).all()
    for first in np.flatnonzero(success & ~np.roll(success, 1)):
        assert motion.height[first - 1] < 0.01
    assert (motion.opening >= 0).all()
    assert (motion.opening <= 100).all()
    assert (motion.height >= 0).all()
    assert (np.abs(np.diff(motion.gripper, axis=0)) < 1.2).all()
    state, action = motion.joints(np.random.default_rng(0))
    assert state.shape == action.shape == (len(success), len(seed.JOINTS))
    assert (action[success, 5] < state[success, 5]).all()


def test_images_are_the_same_each_time_and_show_the_hold():
    success = seed.success_masks(seed.POSITIVE)[14]

    def images():
        rng = np.random.default_rng(5)
        motion = grasp_motion(success, rng)
        scene = Scene(rng)
        return [scene.draw(motion, frame).astype(int) for frame in (38, 39, 47, 48)]

    closed, lifted, held, lost = images()
    assert closed.shape == (HEIGHT, WIDTH, 3)
    assert all(np.array_equal(*pair) for pair in zip((closed, lifted, held, lost), images(), strict=True))
    noise = 4
    assert np.abs(closed - lifted).mean() > noise
    assert np.abs(held - lost).mean() > noise


@pytest.mark.parametrize(
    ("recording", "episode"), [(seed.POSITIVE, 14), (seed.NEGATIVE, 9), (seed.NEGATIVE, 3)]
)
def test_the_physics_say_what_the_annotations_say(simulator, recording, episode):
    from lerobot_grasp_plugin.demo.simulated import SimulatedEpisode

    success = seed.success_masks(recording)[episode]
    made = SimulatedEpisode(success, 100 * seed.RECORDINGS.index(recording) + episode)
    assert np.array_equal(made.held, success)
    state, action, image = next(made.frames())
    assert state.shape == action.shape == (len(seed.JOINTS),)
    assert image.shape == (HEIGHT, WIDTH, 3)

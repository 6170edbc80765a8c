"""Makes the demo's two recordings, with LeRobot's own writer."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.demo import seed
from lerobot_grasp_plugin.demo.motion import grasp_motion
from lerobot_grasp_plugin.demo.scene import HEIGHT, WIDTH, Frame, Scene
from lerobot_grasp_plugin.findings.problem import (
    DataError,
    GraspError,
    Problem,
    UsageError,
)
from lerobot_grasp_plugin.video.chatter import silence_encoders
from lerobot_grasp_plugin.writers.staging import staged, unused_staging

_SEED = 71


def refuse_existing_folders(output_dir: Path) -> None:
    """Refuses an existing folder.

    Raises:
        UsageError: The folder exists.
    """
    if output_dir.exists() or output_dir.is_symlink():
        message = "the folder already exists; the demo overwrites nothing"
        hint = "choose another --output_dir, or move the folder away"
        raise UsageError(Problem("target-exists", message, output_dir, hint))


def make_recordings(output_dir: Path, progress: Progress = silent, *, simulate: bool = False) -> int:
    """Makes ``output_dir`` with both recordings and the annotation file in it.

    The folder appears completely or not at all; the same call gives the same tables each time.

    Args:
        output_dir: Must not exist.
        progress: Called with the progress.
        simulate: On the simulated SO101, not drawn.

    Returns:
        Number of frames in which the physics contradict the annotations.

    Raises:
        GraspError: The folder exists or cannot be written, or LeRobot failed.
    """
    refuse_existing_folders(output_dir)
    differing = 0
    with staged(output_dir) as staging:
        for recording in seed.RECORDINGS:
            with lerobot_errors(recording.repo_id):
                differing += _record(recording, staging / recording.repo_id, progress, simulate)
        (staging / seed.ANNOTATION_FILE).write_text(seed.ANNOTATION_TEXT, encoding="utf-8")
    return differing


@contextlib.contextmanager
def recorded(output_dir: Path, progress: Progress = silent, *, simulate: bool = False) -> Iterator[int]:
    """Makes the recordings, for a block that adds to their folder.

    If the block ends with an error, an interrupt included, the folder is removed. It is renamed first,
    so that a second interrupt leaves nothing that looks finished.

    Raises:
        GraspError: As ``make_recordings``.
    """
    differing = make_recordings(output_dir, progress, simulate=simulate)
    try:
        yield differing
    except BaseException:
        doomed = unused_staging(output_dir)
        os.rename(output_dir, doomed)
        shutil.rmtree(doomed, ignore_errors=True)
        raise


@contextlib.contextmanager
def lerobot_errors(repo_id: str) -> Iterator[None]:
    """Turns LeRobot's exceptions into an error that names the dataset.

    Raises:
        DataError: LeRobot failed.
    """
    try:
        yield
    except (GraspError, OSError):
        raise
    except Exception as error:
        message = f"LeRobot failed: {type(error).__name__}: {error}"
        raise DataError(Problem("lerobot-failed", message, repo_id)) from error


def _quiet() -> None:
    """Limits the encoders' output to errors, and hides the progress bars of `datasets`."""
    silence_encoders()
    import av
    import datasets

    av.logging.set_libav_level(av.logging.WARNING)
    datasets.disable_progress_bars()


def _record(recording: seed.Recording, root: Path, progress: Progress, simulate: bool) -> int:
    _quiet()
    from lerobot.datasets import LeRobotDataset

    dataset = LeRobotDataset.create(
        recording.repo_id,
        fps=seed.FPS,
        features=_features(),
        root=root,
        robot_type=seed.ROBOT_TYPE,
        use_videos=True,
        video_backend="pyav",
        streaming_encoding=True,
        # a whole episode fits, so that no frame is ever dropped
        encoder_queue_maxsize=max(recording.lengths) + 1,
    )
    step, done, differing = f"Recording {recording.name}", 0, 0
    number = seed.RECORDINGS.index(recording)
    try:
        for episode_index, success in enumerate(seed.success_masks(recording)):
            if simulate:
                from lerobot_grasp_plugin.demo.simulated import SimulatedEpisode

                episode = SimulatedEpisode(success, 100 * number + episode_index)
                differing += int((episode.held != success).sum())
                frames = episode.frames()
            else:
                frames = _drawn(success, np.random.default_rng([_SEED, number, episode_index]))
            for state, action, image in frames:
                dataset.add_frame(
                    {
                        "observation.state": state,
                        "action": action,
                        seed.CAMERA_KEY: image,
                        "task": seed.TASK,
                    }
                )
                done += 1
                progress(step, done, recording.frames)
            dataset.save_episode()
    finally:
        # left to the garbage collector, an interrupted writer would put files into a removed folder
        dataset.writer.cancel_pending_videos()
        dataset.finalize()
    return differing


def _drawn(success: NDArray[np.bool_], rng: np.random.Generator) -> Iterator[Frame]:
    """State, action and image of each frame of an episode."""
    motion = grasp_motion(success, rng)
    states, actions = motion.joints(rng)
    scene = Scene(rng)
    for frame_index, (state, action) in enumerate(zip(states, actions, strict=True)):
        yield state, action, scene.draw(motion, frame_index)


def _features() -> dict[str, dict[str, Any]]:
    joints = {"dtype": "float32", "shape": (len(seed.JOINTS),), "names": list(seed.JOINTS)}
    camera = {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]}
    return {"observation.state": joints, "action": dict(joints), seed.CAMERA_KEY: camera}

"""The table of seams: every attribute of LeRobot that this package replaces, extends or reaches into."""

from __future__ import annotations

from typing import Final

from lerobot_grasp_plugin.lerobot_seams.learner_table import LEARNER_SEAMS
from lerobot_grasp_plugin.lerobot_seams.seam import How, Seam

_DATASET = "lerobot.datasets.lerobot_dataset"
_READER = "lerobot.datasets.dataset_reader"
_WRITER = "lerobot.datasets.dataset_writer"
_METADATA = "lerobot.datasets.dataset_metadata"
_BUFFER = "lerobot.rl.buffer"
_ENVIRONMENT = "lerobot.rl.gym_manipulator"
_CLASSIFIER = "lerobot.rewards.classifier.modeling_classifier"
_AFTER_THE_LAST_WATCH = "after the last watch"
_NEVER = "not in this process; datasets of other makers behave as before"

_LOOP = (
    "robot",
    "events",
    "fps",
    "teleop_action_processor",
    "robot_action_processor",
    "robot_observation_processor",
    "teleop",
    "dataset",
    "control_time_s",
    "single_task",
    "display_data",
    "display_mode",
    "display_compressed_images",
)


def _of_reader(path: str, why: str, how: How = "read") -> Seam:
    return Seam("reading", _READER, f"DatasetReader.{path}", how, why)


def _of_buffer(path: str, how: How = "written") -> Seam:
    return Seam("replay buffer", _BUFFER, f"ReplayBuffer.{path}", how, "to fill its memory in one pass")


def _of_classifier(path: str) -> Seam:
    why = "to train all of the head on maps that the frozen encoder makes once"
    return Seam("classifier", _CLASSIFIER, f"Classifier.{path}", "read", why)


SEAMS: Final[tuple[Seam, ...]] = (
    Seam(
        "factory",
        "lerobot.datasets.factory",
        "LeRobotDataset",
        "replaced",
        "make_dataset builds a GraspDataset where a dataset has a sidecar",
        _NEVER,
    ),
    Seam(
        "factory",
        "lerobot.envs.configs",
        "ResetConfig.fixed_reset_joint_positions",
        "replaced",
        "its annotation Any ends in a TypeError when the learner writes its config; list[float] does not",
        "not in this process; values are the same",
        needed=False,
    ),
    *(
        Seam(
            "watch",
            _DATASET,
            f"LeRobotDataset.{name}",
            "replaced",
            "a robot or teleoperator learns what is recorded",
            _AFTER_THE_LAST_WATCH,
        )
        for name in ("add_frame", "save_episode", "clear_episode_buffer")
    ),
    Seam(
        "replay buffer",
        _BUFFER,
        "ReplayBuffer.from_lerobot_dataset",
        "replaced",
        "a GraspDataset is read once, and not about twice",
        _NEVER,
        parameters=("lerobot_dataset", "state_keys", "capacity", "storage_device", "optimize_memory"),
    ),
    _of_buffer("_initialize_storage", "called"),
    *map(
        _of_buffer,
        (
            "states",
            "next_states",
            "actions",
            "rewards",
            "dones",
            "truncateds",
            "complementary_info",
            "size",
            "position",
        ),
    ),
    Seam(
        "actor",
        "lerobot.rl.gym_manipulator",
        "RobotEnv.step",
        "replaced",
        "an action of shape (1, joints), as a policy gives it, moves the arm in joint space",
        "not in this process; other actions are passed on as they are",
    ),
    *(
        Seam(
            "environment",
            module,
            name,
            "replaced",
            "robot, teleoperator and log learn when an episode starts and what a step gave",
            "after the last listener",
        )
        for module in (_ENVIRONMENT, "lerobot.rl.actor")
        for name in ("make_processors", "reset_and_build_transition", "step_env_and_process_transition")
    ),
    *(
        Seam(
            "environment",
            module,
            "precise_sleep",
            "replaced",
            "steps of a simulated arm do not wait for the clock",
            "after the last listener",
        )
        for module in (_ENVIRONMENT, "lerobot.rl.actor")
    ),
    Seam(
        "environment",
        _ENVIRONMENT,
        "RobotEnv.reset_time_s",
        "written",
        "the config's reset_time_s, which make_robot_env does not hand over",
    ),
    Seam(
        "environment",
        _ENVIRONMENT,
        "RobotEnv.reset_pose",
        "written",
        "the arm goes to the pose on its way to the point where an episode starts",
    ),
    Seam(
        "environment",
        _ENVIRONMENT,
        "RobotEnv.get_raw_joint_positions",
        "called",
        "a leader's step starts from where the follower is",
    ),
    Seam(
        "environment",
        "lerobot.robots.so_follower.robot_kinematic_processor",
        "EEBoundsAndSafety.raise_on_jump",
        "written",
        "a large step is shortened, and does not end the process",
        needed=False,
    ),
    Seam(
        "environment",
        "lerobot.robots.so_follower.robot_kinematic_processor",
        "ForwardKinematicsJointsToEEObservation",
        "read",
        "the end effector's pose becomes part of the state",
    ),
    Seam(
        "environment",
        "lerobot.processor.pipeline",
        "DataProcessorPipeline.steps",
        "written",
        "the pose is added to the state; an evaluation asks the reward classifier, which decides nothing",
    ),
    *(
        Seam(
            "clock",
            "lerobot.scripts.lerobot_record",
            name,
            "replaced",
            "an episode of a simulated arm has exactly its frames, as fast as the machine allows",
            "when the arm is disconnected",
        )
        for name in ("time", "precise_sleep")
    ),
    _of_reader("_load_hf_dataset", "images in the table are prepared", "extended"),
    _of_reader("_query_videos", "images of videos are prepared, or come from the frame cache", "extended"),
    _of_reader("load_and_activate", "rows of episodes that are left out are dropped", "called"),
    _of_reader("hf_dataset", "labels are laid over its columns", "written"),
    _of_reader("episodes", "episodes are left out", "written"),
    _of_reader("root", "video files are decoded"),
    _of_reader("delta_indices", "items of several rows are left to LeRobot"),
    _of_reader("_meta", "features, episodes and tasks of a reader"),
    _of_reader("_tolerance_s", "timestamps are judged as LeRobot judges them"),
    _of_reader("_return_uint8", "images have the dtype that was asked for"),
    _of_reader("_image_transforms", "transformed items are left to LeRobot"),
    _of_reader("_video_backend", "items of another decoder are left to LeRobot"),
    Seam(
        "reading",
        "lerobot.datasets.io_utils",
        "hf_transform_to_torch",
        "called",
        "rows become tensors by LeRobot's rule",
    ),
    Seam("reading", _DATASET, "LeRobotDataset.__getitem__", "extended", "items are read ahead in order"),
    Seam(
        "reading", _DATASET, "LeRobotDataset.reader", "replaced", "a FrameReader prepares images", "with it"
    ),
    Seam("reading", _METADATA, "LeRobotDatasetMetadata.info", "written", "features of labels and sizes"),
    Seam("reading", _METADATA, "LeRobotDatasetMetadata.stats", "written", "statistics of laid-over labels"),
    *(
        Seam("labelling", _DATASET, f"LeRobotDataset.{name}", "extended", "label columns are recorded")
        for name in ("create", "resume", "add_frame", "save_episode", "clear_episode_buffer")
    ),
    Seam("labelling", _DATASET, "LeRobotDataset.writer", "read", "its episode buffer takes the labels"),
    Seam(
        "labelling", _WRITER, "DatasetWriter.episode_buffer", "written", "labels by the marks of an episode"
    ),
    Seam(
        "recording",
        _WRITER,
        "DatasetWriter._wait_image_writer",
        "called",
        "images are trimmed when all are there",
    ),
    Seam("recording", _WRITER, "DatasetWriter._meta", "read", "which columns of an episode are images"),
    Seam("recording", _WRITER, "DatasetWriter.cancel_pending_videos", "called", "an episode is given up"),
    Seam("recording", _WRITER, "DatasetWriter._streaming_encoder", "read", "lost frames are noticed"),
    Seam(
        "recording",
        "lerobot.datasets.video_utils",
        "StreamingVideoEncoder._dropped_frames",
        "read",
        "lost frames are noticed",
    ),
    Seam(
        "recording",
        "lerobot.scripts.lerobot_record",
        "record_loop",
        "called",
        "lerobot-grasp-record records with LeRobot's own loop",
        parameters=_LOOP,
    ),
    Seam(
        "recording",
        "lerobot.utils.keyboard_input",
        "apply_recording_control",
        "called",
        "next, re-record and quit mean what they mean in lerobot-record",
    ),
    *LEARNER_SEAMS,
    *map(_of_classifier, ("encoders", "encoder", "is_cnn", "classifier_head", "predict")),
)
"""Every seam. The layers above go through ``access`` for what they replace, and ask for their use first."""

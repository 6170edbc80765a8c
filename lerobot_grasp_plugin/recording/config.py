"""The flags of ``lerobot-grasp-record``: all of lerobot-record's, and ``--grasp.*``."""

from __future__ import annotations

from dataclasses import dataclass, field

from lerobot.scripts.lerobot_record import RecordConfig

from lerobot_grasp_plugin.recording.options import GraspOptions


@dataclass
class GraspRecordConfig(RecordConfig):  # type: ignore[misc]  # lerobot is not typed
    """Records episodes with a label in every frame, marked by key during the recording."""

    # labels, keys and hooks
    grasp: GraspOptions = field(default_factory=GraspOptions)

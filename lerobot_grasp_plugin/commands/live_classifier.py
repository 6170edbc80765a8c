"""``lerobot-grasp-live-classifier``: serves the cameras' images with their probability of success."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.options import load_recorder_plugins
from lerobot_grasp_plugin.commands.outline import Outline, announce_loading, check_early
from lerobot_grasp_plugin.commands.run import command, fail, guarded, parse_call, require_extra, sigterm_ends
from lerobot_grasp_plugin.findings.problem import GraspError, Problem, UsageError

if TYPE_CHECKING:
    from lerobot_grasp_plugin.recording.live_config import LiveClassifierConfig

PROGRAM = "lerobot-grasp-live-classifier"
GUIDE = Guide(
    example=f"""{PROGRAM} --robot.type=so101_sim --robot.realtime=true \\
  --robot.cameras='{{front: {{view: front, width: 128, height: 128}}}}' \\
  --pretrained_path=classifier/checkpoints/last/pretrained_model""",
    required=("robot.type", "pretrained_path"),
    upstream="lerobot-record's blocks robot and teleop",
)


@command
def main(args: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl+C or SIGTERM; returns the command's exit code."""
    require_extra(PROGRAM, "learn", "transformers")
    require_extra(PROGRAM, "review", "starlette", "uvicorn")
    given = list(args or [])
    if code := check_early(given, PROGRAM, _check):
        return code
    announce_loading(PROGRAM)
    from lerobot_grasp_plugin.recording.live_config import LiveClassifierConfig

    given = load_recorder_plugins(given, partial(fail, PROGRAM))
    config = parse_call(LiveClassifierConfig, given, program=PROGRAM, guide=GUIDE, plugins=True)
    return guarded(lambda: _serve(config))


def _check(call: Outline) -> None:
    """Checks what a call names before LeRobot is imported.

    Raises:
        UsageError: The folder is not a checkpoint.
    """
    from lerobot_grasp_plugin.learning.classifier.options import check_checkpoint

    call.require("robot.type", "pretrained_path")
    check_checkpoint(Path(str(call["pretrained_path"])).expanduser())


def _serve(config: LiveClassifierConfig) -> int:
    from lerobot.robots import make_robot_from_config
    from lerobot.teleoperators import make_teleoperator_from_config

    from lerobot_grasp_plugin.commands.serving import (
        check_port,
        listen,
        print_addresses,
        served,
        warn_of_visitors,
    )
    from lerobot_grasp_plugin.learning.classifier.frame_judge import FrameJudge
    from lerobot_grasp_plugin.recording.live_classifier import LiveClassifier, live_app

    config.check()
    check_port(config.port)
    robot = _device(make_robot_from_config, config.robot)
    teleop = None if config.teleop is None else _device(make_teleoperator_from_config, config.teleop)
    judge = FrameJudge(config.pretrained_path.expanduser())
    listening = listen(config.host, config.port)
    warn_of_visitors(config.host, "see the cameras and change the threshold")
    robot.connect()
    try:
        if teleop is not None:
            teleop.connect()
        live = LiveClassifier(robot, judge, fps=config.fps, threshold=config.threshold, teleop=teleop)
        token = secrets.token_urlsafe(24)
        with sigterm_ends(), served(live_app(live, token=token, host=config.host), listening):
            print_addresses(config.host, listening, token)
            print("Press Ctrl+C to stop.", flush=True)
            live.run()
    finally:
        listening.close()
        if teleop is not None and teleop.is_connected:
            teleop.disconnect()
        robot.disconnect()
    print(f"Last threshold: env.processor.reward_classifier.success_threshold={live.threshold}")
    return 0


def _device(make: Callable[[Any], Any], config: object) -> Any:
    """Makes a robot or teleoperator; LeRobot hides the class's own error behind a ``ValueError``.

    Raises:
        GraspError: The class refuses the config.
    """
    try:
        return make(config)
    except ValueError as error:
        if isinstance(error.__cause__, GraspError):
            raise error.__cause__ from None
        raise UsageError(Problem("device-missing", str(error))) from None


if __name__ == "__main__":
    raise SystemExit(main(None))

"""What the commands of HIL-SERL's learner and actor share: reading their config as LeRobot reads it."""

from __future__ import annotations

import sys
from argparse import ArgumentError
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.help import Guide
from lerobot_grasp_plugin.commands.options import load_plugins
from lerobot_grasp_plugin.commands.outline import Outline, announce_loading, check_early
from lerobot_grasp_plugin.commands.run import fail, guarded, parse_call

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig


def run_rl(
    args: Sequence[str] | None,
    program: str,
    guide: Guide,
    run: Callable[[GraspTrainRLConfig, list[str]], int],
    check: Callable[[Outline], None] = lambda _: None,
) -> int:
    """Reads the config that a call names, and runs learner or actor with it; returns the exit code.

    Args:
        args: The command's arguments.
        program: The command's name.
        guide: What its help says besides the options; ``upstream`` is the module of LeRobot that is run.
        run: Runs it, given the config and the arguments; returns the exit code.
        check: Raises a ``GraspError`` with what is wrong with the call, before LeRobot is imported.

    Raises:
        SystemExit: With 2, where the arguments or the file cannot be read.
    """

    def check_named(call: Outline) -> None:
        if call["config_path"] is None:
            fail(program, "--config_path is missing")
        check(call)

    given = list(args or [])
    if code := check_early(given, program, check_named, in_folder="train_config.json"):
        return code
    sys.argv = [program, *given]  # LeRobot's validation reads --config_path and --policy.path from it
    config = parse_rl_config(given, program, guide)

    def action() -> int:
        from lerobot_grasp_plugin.learning.registration import install_dataset

        install_dataset()
        return run(config, given)

    return guarded(action)


def parse_rl_config(given: list[str], program: str, guide: Guide) -> GraspTrainRLConfig:
    """Read flags and file as LeRobot's ``parser.wrap`` does, plugins and pretrained paths included.

    Args:
        given: The command's arguments.
        program: The command's name.
        guide: What its help says besides the options; ``upstream`` is the module of LeRobot that is run. It
            registers robots, cameras and teleoperators.

    Raises:
        SystemExit: With 2, where the arguments or the file cannot be read.
    """
    announce_loading(program)
    from lerobot.configs import parser

    try:
        import_module(guide.upstream)
        import_module("lerobot_grasp_plugin.plugin")

        from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig
    except ImportError as error:
        fail(program, f"{guide.upstream} cannot be imported: {error}; install lerobot_grasp_plugin[learn]")
    given = load_plugins(given, partial(fail, program))
    named: str | None = None
    try:
        fields = GraspTrainRLConfig.__get_path_fields__()
        given = parser.filter_path_args(fields, given)
        named = parser.parse_arg("config_path", given)
        if named is not None:
            if Path(named).is_dir():
                named = str(Path(named) / "train_config.json")
            cleaned = parser.extract_path_fields_from_config(named, fields)
            given = [*parser.filter_arg("config_path", given), f"--config_path={cleaned}"]
    except ArgumentError as error:
        fail(program, str(error))
    except OSError as error:
        fail(program, f"--config_path: {named}: {(error.strerror or str(error)).lower()}")
    except ValueError as error:
        fail(program, f"--config_path: {named} is not valid YAML or JSON: {error}")
    return parse_call(GraspTrainRLConfig, given, program=program, guide=guide, plugins=True)

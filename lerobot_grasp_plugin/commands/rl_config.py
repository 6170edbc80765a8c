"""Reading the config of HIL-SERL's learner and actor as LeRobot reads it."""

from __future__ import annotations

from argparse import ArgumentError
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.commands.options import load_plugins
from lerobot_grasp_plugin.commands.outline import Outline, announce_loading, read_outline
from lerobot_grasp_plugin.commands.run import fail, parse

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.rl_configs import GraspTrainRLConfig


def rl_outline(given: list[str], program: str) -> Outline:
    """What a call of learner or actor names, before LeRobot is imported.

    Raises:
        SystemExit: With 2, where no config is named or the file cannot be read.
    """
    call = read_outline(given, program, in_folder="train_config.json")
    if call["config_path"] is None:
        fail(program, "no config is named; give --config_path")
    return call


def parse_rl_config(given: list[str], program: str, module: str) -> GraspTrainRLConfig:
    """Read flags and file as LeRobot's ``parser.wrap`` does, plugins and pretrained paths included.

    Args:
        given: The command's arguments.
        program: The command's name.
        module: The module of LeRobot that the command runs; it registers robots, cameras and teleoperators.

    Raises:
        SystemExit: With 2, where the arguments or the file cannot be read.
    """
    announce_loading(program)
    from lerobot.configs import parser

    try:
        import_module(module)
        import_module("lerobot_grasp_plugin.plugin")

        from lerobot_grasp_plugin.learning.rl_configs import GraspTrainRLConfig
    except ImportError as error:
        fail(program, f"{module} cannot be imported: {error}; install lerobot_grasp_plugin[learn]")
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
    return parse(GraspTrainRLConfig, given, program=program, plugins=True)

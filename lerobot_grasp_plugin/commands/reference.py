"""The pages of docs/reference that are written from options, docstrings and JSON schemas."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import lerobot_grasp_plugin
from lerobot_grasp_plugin import commands
from lerobot_grasp_plugin.commands.help import HELP, options_of
from lerobot_grasp_plugin.commands.schema_page import schema_lines
from lerobot_grasp_plugin.merging.recipe import SourceConfig

WRITE = "python -m lerobot_grasp_plugin.commands docs/reference"

_COLUMNS = "100"
_ADDRESS = re.compile(r"<function (\w+) at 0x\w+>")
_QUOTED = re.compile(r"(: |-> )'([^']*)'")

_COMMANDS = f"""\
# Commands

All options of all commands, as `--help` prints them. `{WRITE}` writes this page.

An option takes one value: `--root FOLDER` or `--root=FOLDER`. A list is one value, `--episodes '[2, 7]'`,
and so is a block of options, `--kinematics '{{joint_unit: range}}'`. A switch needs no value: `--strict` is
`--strict true`. Options can be in a YAML or JSON file, `--config_path FILE`; flags override it. For a
misspelt option or value, the error names the most similar one.

Exit codes: 0 done, 1 the data is at fault (`lerobot-grasp-diff`: or the datasets differ), 2 the call is at
fault, 130 after Ctrl+C.
"""

_PYTHON = f"""\
# From Python

The public names of `lerobot_grasp_plugin`. All others may change in any version. A path can be a string.
`{WRITE}` writes this page; [a guide](../python.md) shows them at work.
"""


def write_pages(folder: Path) -> None:
    """Writes all pages.

    Args:
        folder: Where to; it exists, and ``schemas`` next to it.
    """
    for name, lines in pages(folder).items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def pages(folder: Path) -> dict[str, Iterator[str]]:
    """The lines of each page, by its file name.

    Args:
        folder: As of ``write_pages``.
    """
    return {
        "commands.md": command_lines(),
        "python.md": python_lines(),
        "sidecars.md": schema_lines(folder.parent / "schemas", WRITE),
    }


def programs() -> dict[str, str]:
    """The name of every command, and its module."""
    names = [f"{commands.__name__}.{module.name}" for module in iter_modules(commands.__path__)]
    modules = [import_module(name) for name in names if not name.endswith("__main__")]
    return {module.PROGRAM: module.__name__ for module in modules if hasattr(module, "GUIDE")}


def help_of(module: str, flag: str = HELP) -> str:
    """The help text of a command, in lines of 100 characters.

    Args:
        module: The command's.
        flag: The call for help.
    """
    printed = StringIO()
    with _wide(), redirect_stdout(printed), suppress(SystemExit):
        import_module(module).main([flag])
    return printed.getvalue()


@contextmanager
def _wide() -> Iterator[None]:
    """Sets the line length, whatever the terminal's width."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _COLUMNS
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


def command_lines() -> Iterator[str]:
    """The page of all options."""
    yield _COMMANDS
    for program, module in programs().items():
        yield from (f"## {program}", "", "```text", help_of(module).rstrip(), "```", "")
    for title, config_class in chosen_by_name().items():
        purpose = inspect.cleandoc(config_class.__doc__ or "")
        with _wide():
            options = options_of(config_class).rstrip()
        yield from (f"## {title}", "", purpose, "", "```text", options, "```", "")


def chosen_by_name() -> dict[str, type]:
    """Blocks that no command's help lists: a source, and the types this package registers by name."""
    from lerobot.robots import RobotConfig
    from lerobot.teleoperators import TeleoperatorConfig

    import_module("lerobot_grasp_plugin.plugin")
    import_module("lerobot_grasp_plugin.commands.labeler_types")
    import_module("lerobot_grasp_plugin.recording.builtin_hooks")
    from lerobot_grasp_plugin.editing.config import OperationConfig
    from lerobot_grasp_plugin.labelers.labeler import LabelerConfig
    from lerobot_grasp_plugin.recording.hooks import HookConfig

    registers: dict[str, Any] = {
        "--robot.type={}": RobotConfig,
        "--teleop.type={}": TeleoperatorConfig,
        "--operation.type={}": OperationConfig,
        "--labeler.type={}": LabelerConfig,
        "--grasp.hooks='[{{type: {}}}]'": HookConfig,
    }
    found: dict[str, type] = {"A source of `--sources`": SourceConfig}
    for call, register in registers.items():
        for name, config_class in sorted(register.get_known_choices().items()):
            if config_class.__module__.startswith(f"{lerobot_grasp_plugin.__name__}."):
                found[f"`{call.format(name)}`"] = config_class
    return found


def python_lines() -> Iterator[str]:
    """The page of all public names."""
    yield _PYTHON
    for name in lerobot_grasp_plugin.__all__:
        value = getattr(lerobot_grasp_plugin, name)
        yield from (f"## {name}", "", "```python", f"{name}{_signature(value)}", "```", "")
        yield from ("```text", inspect.cleandoc(value.__doc__), "```", "")
        if inspect.isclass(value):
            yield from _methods(value)


def _methods(kind: type) -> Iterator[str]:
    lines = []
    for name, member in vars(kind).items():
        function = getattr(member, "__func__", member)
        if name.startswith("_") or not member.__doc__:
            continue
        if inspect.isfunction(function):
            lines.append(f"- `{name}{_signature(function)}`: {_first(function)}")
        elif isinstance(member, property):
            lines.append(f"- `{name}`: {_first(member)}")
    if lines:
        yield from (*lines, "")


def _first(value: Any) -> str:
    return " ".join(inspect.cleandoc(value.__doc__).partition("\n\n")[0].split())


def _signature(value: Any) -> str:
    try:
        written = _ADDRESS.sub(r"\1", str(inspect.signature(value)))
        return _QUOTED.sub(r"\1\2", written)
    except ValueError:  # a class of exceptions has none
        return ""

"""The text of ``--help``: required options, then the command's own; LeRobot's with ``--help_all``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from inspect import get_annotations
from textwrap import fill, indent
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

VERSION, HELP, HELP_ALL = "--version", "--help", "--help_all"

_PACKAGE = __name__.partition(".")[0]
_TEXTS = {
    "config_path": "YAML or JSON file of options, named as here; flags override it",
    "dataset.repo_id": "the dataset, owner/name",
    "labeler.type": "the labeler that proposes success; docs/labelers.md lists all labelers",
    "operation.type": "the operation; docs/edit.md lists all operations",
    "robot.type": "the robot, by its name in LeRobot",
}
"""Help of options that draccus and LeRobot declare, where this package lists them."""

_VALUES = {"config_path": "PATH", "labeler.type": "NAME", "operation.type": "NAME", "robot.type": "NAME"}
_GENERAL = ("config_path", "help", "help_all", "version")
_NAMES = {"bool": "[BOOL]", "str": "TEXT"}
"""Placeholder of a type's value in help, where it is not the type's name; a switch takes no value."""


@dataclass(frozen=True)
class Guide:
    """The help text of a command, without its options.

    Attributes:
        purpose: What the command does; empty where its config says it.
        example: A call that a person can run who has run ``lerobot-grasp-demo`` in the same folder.
        required: The options that a call must give; ``a|b`` where one of several suffices.
        upstream: The command of LeRobot whose options the command also takes.
    """

    purpose: str = ""
    example: str = ""
    required: tuple[str, ...] = ()
    upstream: str = ""


NO_GUIDE = Guide()


def own_options(config_class: type) -> dict[str, str]:
    """The options that this package declares.

    Args:
        config_class: A config, which may be based on one of LeRobot's.

    Returns:
        Dotted name to help text; options that a class declares stand before those that it inherits, and
        those of blocks are last.
    """
    from draccus.wrappers.docstring import get_attribute_docstring, get_preferred_help_text

    found = sorted(_declared(config_class, ""), key=lambda entry: entry[0].count("."))
    texts = {name: get_attribute_docstring(kind, name.rpartition(".")[2]) for name, kind in found}
    return {name: get_preferred_help_text(text) or "" for name, text in texts.items()}


def _declared(config_class: type, prefix: str) -> Iterator[tuple[str, type]]:
    """Dotted names, each with the class whose source has the comment that is the option's help."""
    hints = get_type_hints(config_class)
    unseen = {entry.name for entry in fields(config_class) if entry.init}
    for declaring in config_class.__mro__:
        for name in [name for name in get_annotations(declaring) if name in unseen]:
            unseen.remove(name)
            kinds = _alternatives(hints[name])
            if any(hasattr(kind, "get_known_choices") for kind in kinds):
                continue  # a robot or another class of LeRobot's that is chosen by its name
            blocks = [kind for kind in kinds if isinstance(kind, type) and is_dataclass(kind)]
            if blocks:
                yield from _declared(blocks[0], f"{prefix}{name}.")
            elif declaring.__module__.partition(".")[0] == _PACKAGE:
                yield f"{prefix}{name}", declaring


def options_of(config_class: type) -> str:
    """The options of a block without a command of its own, as help lists them.

    Args:
        config_class: The block's class.
    """
    from draccus.argparsing import ArgumentParser

    own = own_options(config_class)
    actions = _actions(ArgumentParser(config_class).parser, own)
    formatter = _Formatter("")
    formatter.add_arguments([actions[name] for name in own])
    return formatter.format_help()


def _actions(parser: argparse.ArgumentParser, own: Mapping[str, str]) -> dict[str, argparse.Action]:
    """What a parser takes, by dotted names, ready to be printed."""
    actions = {_name(action): action for group in parser._action_groups for action in group._group_actions}
    for name, action in actions.items():
        action.help = {**_TEXTS, **own}.get(name, action.help)
        if name in _VALUES:
            action.metavar = _VALUES[name]
        if action.metavar is None and action.choices is None and action.nargs is None:
            action.metavar = _value_name(action.type)
    return actions


def _alternatives(hint: Any) -> list[Any]:
    """The types of which a field takes values, without None."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return [kind for kind in kinds if kind is not NoneType]


def arrange(
    parser: argparse.ArgumentParser,
    guide: Guide,
    own: Callable[[], Mapping[str, str]],
    *,
    everything: bool = False,
) -> None:
    """Makes a parser print its help in the order of this module, and know the options of every command.

    Args:
        parser: Changed in place.
        guide: The command's.
        own: Gives the options of this package, dotted name to help text.
        everything: Whether LeRobot's options are listed, too.
    """
    parser.add_argument(
        VERSION, action="store_true", help="print the versions of this package and of LeRobot"
    )
    if guide.upstream:
        parser.add_argument(HELP_ALL, action="store_true", help=f"print the options of {guide.upstream} too")
    # draccus makes its parser itself, so that none of another class can be given to it
    parser.format_help = lambda: _text(parser, guide, own(), everything)  # type: ignore[method-assign]  # an instance, not a class


def _text(parser: argparse.ArgumentParser, guide: Guide, own: Mapping[str, str], everything: bool) -> str:
    actions = _actions(parser, own)
    required = [name for entry in guide.required for name in entry.split("|")]
    sections = {
        "required": required,
        "options": [name for name in own if name not in required],
        "general": [name for name in _GENERAL if name in actions and name not in required],
    }
    formatter = _Formatter(parser.prog)
    formatter.add_text(f"usage: {' '.join([parser.prog, *_required_calls(actions, guide), '[options]'])}")
    formatter.add_text(fill(guide.purpose, formatter.width))
    if guide.example:
        formatter.add_text(f"example:\n{indent(guide.example, '  ')}")
    for title, names in sections.items():
        formatter.start_section(title)
        formatter.add_arguments([actions[name] for name in names])
        formatter.end_section()
    if everything and guide.upstream:
        listed = {name for names in sections.values() for name in names}
        formatter.add_text(f"OPTIONS OF {guide.upstream}".upper())
        _add_upstream(formatter, parser, listed)
    elif guide.upstream:
        more = f"All options of {guide.upstream} work too; {HELP_ALL} prints them."
        formatter.add_text(fill(more, formatter.width))
    return formatter.format_help()


def _required_calls(actions: Mapping[str, argparse.Action], guide: Guide) -> Iterator[str]:
    """The required options as in a call; an option that another one can replace says so in its help."""
    for entry in guide.required:
        names = entry.split("|")
        yield f"--{names[0]} {actions[names[0]].metavar}"
        for name in names:
            others = ", ".join(f"--{other}" for other in names if other != name)
            actions[name].help = f"{actions[name].help} [or {others}]" if others else actions[name].help


def _add_upstream(formatter: _Formatter, parser: argparse.ArgumentParser, listed: Container[str]) -> None:
    for group in parser._action_groups:
        formatter.start_section(group.title)
        formatter.add_text(group.description)
        formatter.add_arguments([action for action in group._group_actions if _name(action) not in listed])
        formatter.end_section()


def _name(action: argparse.Action) -> str:
    return action.option_strings[-1].removeprefix("--")


def _value_name(kind: Any) -> str:
    first = (_alternatives(kind) or [str])[0]
    if get_origin(first) is Literal:
        return f"{{{','.join(map(str, get_args(first)))}}}"
    name = getattr(get_origin(first) or first, "__name__", "value")
    return _NAMES.get(name, name.upper())


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of an example, and names a default where there is one."""

    @property
    def width(self) -> int:
        """Characters in a line."""
        return self._width

    def _get_help_string(self, action: argparse.Action) -> str | None:
        unset = action.nargs == 0 or action.default in (None, "", argparse.SUPPRESS, [], {})
        return action.help if unset else f"{action.help} (default: %(default)s)"

"""Unknown options of a command, and the options that were probably meant."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import SequenceMatcher, get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NoReturn, get_args, get_type_hints

DISCOVER = "discover_packages_path"
_SUGGESTIONS = 3
_SHORT = 4
"""Names of so few letters match only by a stricter rule: one letter is a third of them."""

_CLEAR = 0.87
"""Similarity above which only the best match is suggested."""

_NO_LIST = re.compile(r"`(\S+)`: Failed when parsing value='(.*)' into field .* of type list\[")
_NO_FIELDS = re.compile(r"(?:`(\S+)`: )?The fields (.*) are not valid for (\w+)")
_NO_CHOICE = re.compile(r"`(\S+)`: Cannot convert '(.*)' \(<class .*>\) into one of: (.*)")
_OPTIONAL = re.compile(
    r"`(\S+)`: Could not decode the value into any of the given types:\n( +)\w+: (?:`(\S+)`: )?(.*)",
    re.DOTALL,
)
"""What draccus says of an option that may be left out: a line for each of its types."""

_NO_DICT = re.compile(r"`(\S+)`: Failed when parsing value='(.*)' into field .* of type dict\[.*", re.DOTALL)
_NO_TYPE = re.compile(r"`(\S+)`: Expected a dict (?:for a choice class|with a 'type' key for .*), got .*")
_NO_BLOCK = re.compile(r"`(\S+)`: '\w+' object has no attribute 'copy'")

_NO_CLASS = re.compile(r"`(\S+)`: Couldn't find a choice class for '(.*)' in (<class .*>)")
_NO_VALUE = re.compile(r"`(\S+)`: Couldn't parse '(.*)' into an? (int|float|bool)")
_MISSING = re.compile(r"(?:`(\S+)`: )?Missing required field\(s\) (.*) for \w+")

_KINDS = {"int": "an integer", "float": "a number", "bool": "true or false"}


def make_strict(
    parser: ArgumentParser,
    fail: Callable[[str], NoReturn],
    *,
    plugins: bool = False,
    lists: Container[str] = frozenset(),
) -> None:
    """Makes a parser report, in one line, everything on the command line that it does not accept.

    Args:
        parser: Changed in place.
        fail: Ends the program with a message.
        plugins: Whether ``--NAME.discover_packages_path`` was understood before.
        lists: Options whose value is a list, such as ``--roots``.
    """
    take = parser.parse_known_args
    complaints: list[str] = []

    def check_value(action: Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            complaints.append(_no_choice(action.option_strings[-1], value, [*map(str, action.choices)]))

    def parse_known_args(args: Sequence[str], namespace: Any = None) -> tuple[Namespace, list[str]]:
        given, unknown = take(args, namespace)
        known = [name for action in parser._actions for name in action.option_strings]
        if plugins:
            known += [f"{name.partition('.')[0]}.{DISCOVER}" for name in unknown if "." in name]
        if complaints or unknown:
            fail("; ".join([*complaints, *_complaints(unknown, known, args, lists)]))
        return given, unknown

    # draccus makes its parser itself, so that none of another class can be given to it; it also decodes
    # values before it looks at what is left, and argparse ends at the first choice that it does not know
    parser._check_value = check_value  # type: ignore[method-assign]  # of this parser only
    parser.error = fail  # type: ignore[method-assign,assignment]  # of this parser only
    parser.parse_known_args = parse_known_args  # type: ignore[method-assign,assignment]  # of this parser only


def in_words(message: str, config_class: type) -> str:
    """Draccus's message about values it cannot decode, with option names in place of class names."""
    message = _of_inmost(message)
    if found := _NO_DICT.fullmatch(message):
        name, value = found.groups()
        return f"--{name} must be a mapping, such as '{{NAME: VALUE}}', not {value!r}"
    if found := _NO_TYPE.fullmatch(message):
        return f"--{found[1]} must be a block of options with a type: --{found[1]}.type NAME"
    if found := _NO_BLOCK.fullmatch(message):
        return f"--{found[1]} must be a block of options: --{found[1]}.OPTION VALUE"
    if found := _NO_LIST.match(message):
        name, value = found.groups()
        return f"--{name} must be a list, even of one value: --{name} '[{value}]'"
    if found := _NO_CHOICE.fullmatch(message):
        name, value, listed = found.groups()
        return _no_choice(f"--{name}", value, listed.split(", "))
    if found := _NO_CLASS.fullmatch(message):
        name, value, kind = found.groups()
        registers: list[Any] = [each for each in _blocks(config_class) if str(each) == kind]
        choices = [choice for register in registers for choice in register.get_known_choices()]
        return _no_choice(f"--{name}.type", value, choices)
    if found := _NO_VALUE.fullmatch(message):
        name, value, kind = found.groups()
        option, _, key = name.partition(".key=")
        whose = f"a key of --{option}" if key else f"--{option}"
        return f"{whose} must be {_KINDS[kind]}, not {value!r}"
    if found := _MISSING.fullmatch(message):
        parent, names = found.groups()
        wanted = [f"{parent}.{name}" if parent else name for name in re.findall(r"`(\S+)`", names)]
        options = [option for name in wanted for option in _required(config_class, name)]
        return f"{' and '.join(options)} must be given"
    if found := _NO_FIELDS.fullmatch(message):
        complaints = []
        place, names, block = found.groups()
        kinds = [kind for kind in _blocks(config_class) if kind.__name__ == block]
        known = [f"--{each.name}" for kind in kinds[:1] for each in fields(kind)]
        where = f" in {place}" if place else ""
        for name in re.findall(r"`(\S+)`", names):
            meant = [option.removeprefix("--") for option in _alike(name, known)]
            complaints.append(f"unknown option {_with_meant(f'{name}{where}', meant)}")
        return "; ".join(complaints)
    return message


def _of_inmost(message: str) -> str:
    """A message about an option of an optional block, as one about the option itself."""
    while found := _OPTIONAL.fullmatch(message):
        block, indent, name, fault = found.groups()
        if re.search(rf"\n{indent}\S", fault):  # it may have several types
            break
        message = f"`{block}.{name}`: {fault.strip()}" if name else f"`{block}`: {fault.strip()}"
    return message


def _blocks(config_class: type) -> Iterator[type]:
    """A config's dataclass and those of its fields, lists of them and what is chosen by name included."""
    yield config_class
    for hint in get_type_hints(config_class).values():
        for kind in (hint, *get_args(hint)):
            if isinstance(kind, type) and is_dataclass(kind):
                yield from _blocks(kind)
                register: Any = kind if hasattr(kind, "get_known_choices") else None
                yield from register.get_known_choices().values() if register is not None else ()


def _required(config_class: type, name: str) -> list[str]:
    """The options of a field: those that must be given, where it is a block of several."""
    block = get_type_hints(config_class).get(name)
    if not isinstance(block, type) or not is_dataclass(block):
        return [f"--{name}"]
    unset = [each for each in fields(block) if each.default is each.default_factory is MISSING]
    return [f"--{name}.{each.name}" for each in unset or fields(block)[:1]]


def load_plugins(args: Sequence[str], fail: Callable[[str], NoReturn]) -> list[str]:
    """Imports the packages that LeRobot's plugin flags name; returns the other flags."""
    from lerobot.configs import parser

    others = list(args)
    try:
        for flag, package in parser.parse_plugin_args(DISCOVER, args).items():
            parser.load_plugin(package)
            others = parser.filter_arg(flag, others)
    except parser.PluginLoadError as error:
        fail(str(error))
    return others


def load_packages(args: Sequence[str], fail: Callable[[str], NoReturn]) -> list[str]:
    """The same without importing LeRobot, for commands that do not need it."""
    others: list[str] = []
    for flag in args:
        name, _, package = flag.partition("=")
        if not name.endswith(f".{DISCOVER}") or not package:
            others.append(flag)
            continue
        try:
            children = getattr(import_module(package), "__path__", ())
            for child in iter_modules(children, f"{package}."):
                import_module(child.name)
        except ImportError as error:
            fail(f"{name}: the package {package} cannot be imported: {error}")
    return others


def load_recorder_plugins(args: Sequence[str], fail: Callable[[str], NoReturn]) -> list[str]:
    """Imports what LeRobot's recorder would, and this package's devices; returns the flags that are left."""
    from lerobot.configs import parser
    from lerobot.utils.import_utils import register_third_party_plugins

    register_third_party_plugins()
    try:
        parser.load_plugin("lerobot_grasp_plugin")
    except parser.PluginLoadError as error:
        fail(str(error))
    return load_plugins(args, fail)


def unread_value(args: Sequence[str]) -> str | None:
    """The error of the first value that is not YAML, with its option; None if all are."""
    import yaml
    from draccus.cfgparsing import parse_string

    for flag, follower in zip(args, [*args[1:], "--"], strict=True):
        name, assigned, value = flag.partition("=")
        if not flag.startswith("--") or not (assigned or not follower.startswith("--")):
            continue
        text = value if assigned else follower
        try:
            parse_string(text)
        except yaml.YAMLError as error:
            if text.startswith("!"):  # a tag of YAML
                return f"{name}: put {text} in quotes of its own: {name} '\"{text}\"'"
            return f"{name} cannot be read: {yaml_fault(error)} of {text}"
    return None


def yaml_fault(error: Exception) -> str:
    """The error in a text that is not YAML, with its line and column."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if problem is None or mark is None:
        return str(error)
    return f"{problem} at line {mark.line + 1}, column {mark.column + 1}"


def _complaints(
    unknown: Sequence[str], known: Sequence[str], args: Sequence[str], lists: Container[str]
) -> Iterator[str]:
    before = ""
    for text in unknown:
        name, assigned, _ = text.partition("=")
        if text.startswith("-"):
            yield f"unknown option {_with_meant(name, _alike(name, known))}"
            before = "" if assigned else text
        elif before:  # the value of an option that is already reported
            before = ""
        else:
            yield f"unexpected value {text!r}: {_hint(text, known, args, lists)}"


def _no_choice(option: str, value: str, choices: Sequence[str]) -> str:
    meant = get_close_matches(value, choices, 1)
    return _with_meant(f"{option} must be one of {', '.join(choices)}, not {value!r}", meant)


def _with_meant(name: str, meant: Sequence[str]) -> str:
    return f"{name}, did you mean {' or '.join(meant)}?" if meant else name


def _alike(name: str, known: Sequence[str]) -> list[str]:
    """The options that a misspelt name may mean: those with the same last part, else the most similar."""
    name = name.lstrip("-").replace("-", "_")
    options = [option.removeprefix("--") for option in known if option.startswith("--")]
    same = [option for option in options if option.rpartition(".")[2] == name.rpartition(".")[2]]
    found = get_close_matches(name, same, _SUGGESTIONS, cutoff=0)
    found = found or get_close_matches(name, options, _SUGGESTIONS, cutoff=0.7 if len(name) > _SHORT else 0.6)
    clear = bool(found) and SequenceMatcher(None, name, found[0]).ratio() > _CLEAR
    return [f"--{option}" for option in (found[:1] if clear else found)]


def _hint(text: str, known: Sequence[str], args: Sequence[str], lists: Container[str]) -> str:
    at = args.index(text)
    flag, value = args[at - 2 : at] if at > 1 else ("", "")
    if flag in lists and not value.startswith("--"):
        return f"write several values as a list: {flag} '[{value}, {text}]'"
    if "--root" in known and Path(text).is_dir():
        return f"did you mean --root {text}?"
    return "write several values as a list: '[a, b]'"

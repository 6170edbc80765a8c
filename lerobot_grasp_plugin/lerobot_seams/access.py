"""Reads, replaces and checks the attributes of the table, with an error that names a missing one."""

from __future__ import annotations

import dis
import functools
import inspect
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import FunctionType
from typing import Any

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.lerobot_seams import version
from lerobot_grasp_plugin.lerobot_seams.seam import Seam, Use
from lerobot_grasp_plugin.lerobot_seams.table import SEAMS


class SeamError(UsageError, ImportError):
    """The installed lerobot does not have an attribute that this package replaces or reaches into.

    It is an ``ImportError``, too: LeRobot's discovery names the plugin that raised one.
    """


@functools.cache
def require(use: Use) -> None:
    """Checks that LeRobot has everything that one part of this package needs; once per process.

    Raises:
        SeamError: With every attribute of the table that is missing, or takes other parameters.
    """
    problems = [problem for seam in SEAMS if seam.use == use for problem in problems_of(seam)]
    if problems:
        raise SeamError(problems)


def problems_of(seam: Seam) -> Iterator[Problem]:
    """The errors of one seam in the installed lerobot; nothing if it matches the table."""
    owner, name = _place(seam)
    if owner is None or not _has(owner, name):
        if seam.needed:
            yield _problem(seam, f"has no {seam.name}")
        return
    if seam.parameters:
        known = _parameters(getattr(owner, name))
        takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
        lacking = [parameter for parameter in seam.parameters if parameter not in known]
        if lacking and not takes_all:
            yield _problem(seam, f"has a {seam.name} without {', '.join(lacking)}")
        asked = [
            parameter.name
            for parameter in known.values()
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            and parameter.name not in (*seam.parameters, "self", "cls")
        ]
        if asked and seam.how == "called":
            yield _problem(seam, f"has a {seam.name} that also requires {', '.join(asked)}")


def current(module: str, path: str) -> Any:
    """The value of an attribute of the table.

    Raises:
        SeamError: LeRobot does not have it.
    """
    seam = _seam(module, path)
    owner, name = _place(seam)
    if owner is None or not hasattr(owner, name):
        raise SeamError(_problem(seam, f"has no {seam.name}"))
    return getattr(owner, name)


def replace(module: str, path: str, value: Any) -> None:
    """Replaces an attribute that the table lists as replaced.

    Raises:
        SeamError: LeRobot does not have it.
    """
    seam = _seam(module, path)
    if seam.how != "replaced":
        raise KeyError(f"the table does not list {seam.name} as replaced")
    current(module, path)
    owner, name = _place(seam)
    setattr(owner, name, value)


def is_loaded(module: str) -> bool:
    """Whether this process has loaded a module of LeRobot, or runs it (``python -m``)."""
    return module in sys.modules or _runs(module)


def _runs(module: str) -> bool:
    return getattr(getattr(sys.modules.get("__main__"), "__spec__", None), "name", None) == module


def _module(name: str) -> Any:
    """A module; run with ``python -m`` it is ``__main__``, and importing it would make a second one."""
    return sys.modules["__main__"] if _runs(name) else import_module(name)


def _seam(module: str, path: str) -> Seam:
    found = next((seam for seam in SEAMS if (seam.module, seam.path) == (module, path)), None)
    if found is None:
        raise KeyError(f"the table of seams has no {module}.{path}")
    return found


def _place(seam: Seam) -> tuple[Any, str]:
    """The object an attribute belongs to, None where that is missing; and the attribute's own name."""
    *owners, name = seam.path.split(".")
    try:
        owner: Any = _module(seam.module)
    except ModuleNotFoundError as error:
        if error.name is None or not seam.module.startswith(error.name):
            raise  # an optional dependency of LeRobot's, which its own message names
        return None, name
    for part in owners:
        owner = getattr(owner, part, None)
    return owner, name


def _has(owner: Any, name: str) -> bool:
    """Whether an attribute is there: of a class also one that its methods set on an instance."""
    if hasattr(owner, name) or name in getattr(owner, "__dataclass_fields__", {}):
        return True
    return inspect.isclass(owner) and any(
        instruction.opname == "STORE_ATTR" and instruction.argval == name
        for kind in owner.__mro__
        for method in vars(kind).values()
        if isinstance(method, FunctionType)
        for instruction in dis.get_instructions(method)
    )


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    """Parameters of a function; of what a decorator without ``functools.wraps`` covers, by its closure."""
    known = inspect.signature(function).parameters
    if all(
        parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) for parameter in known.values()
    ):
        for cell in getattr(function, "__closure__", None) or ():
            if isinstance(cell.cell_contents, FunctionType):
                return _parameters(cell.cell_contents)
    return known


def _problem(seam: Seam, finding: str) -> Problem:
    message = f"LeRobot {version.installed()} {finding}; {seam.use} needs it: {seam.why}"
    hint = "install another version of lerobot, or a newer lerobot_grasp_plugin"
    return Problem("unknown-seam", message, hint=hint)

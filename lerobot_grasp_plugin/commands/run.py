"""What all commands share: parsing, exit codes, progress."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial, wraps
from importlib.util import find_spec
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from lerobot_grasp_plugin.commands.decoder_note import shorten_decoder_warning
from lerobot_grasp_plugin.commands.help import HELP, HELP_ALL, NO_GUIDE, VERSION, Guide, arrange, own_options
from lerobot_grasp_plugin.commands.options import DISCOVER, in_words, make_strict, unread_value, yaml_fault
from lerobot_grasp_plugin.commands.priority import give_up_real_time_priority
from lerobot_grasp_plugin.commands.streams import outlive_readers
from lerobot_grasp_plugin.findings.collect import folded
from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.findings.words import count

type Main = Callable[[Sequence[str] | None], int]

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes after Ctrl+C and SIGTERM, as a shell gives them."""


_COLLECT_AFTER = 5_000
"""New objects between two searches for cyclic garbage. Imports make some hundred thousand that all stay: at
Python's 700 the searches take a thirtieth of a short command's time."""


class Terminated(KeyboardInterrupt):
    """SIGTERM ends the command as Ctrl+C does."""


@contextmanager
def sigterm_ends() -> Iterator[None]:
    """Within the block SIGTERM raises ``Terminated``, so that what is half done is removed."""

    def end(*_: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def command(main: Main) -> Main:
    """A command's ``main``, prepared for LeRobot's warnings, closed pipes, Ctrl+C, and a call for help."""

    @wraps(main)
    def prepared(args: Sequence[str] | None = None) -> int:
        try:
            gc.set_threshold(_COLLECT_AFTER)
            give_up_real_time_priority()
            outlive_readers()
            shorten_decoder_warning()
            given = list(sys.argv[1:] if args is None else args)
            if VERSION in given:
                return _print_versions()
            return main(_help_alone(given) if {"-h", HELP, HELP_ALL} & {*given} else given)
        except KeyboardInterrupt:  # while the command reads its call, or imports
            print("interrupted.", file=sys.stderr)
            return INTERRUPTED

    return prepared


def _help_alone(args: Sequence[str]) -> list[str]:
    """A call for help without its other options, whose values argparse would read first.

    The packages that LeRobot's plugin flags name stay: they add options to the help.
    """
    plugins = [flag for flag in args if flag.partition("=")[0].endswith(f".{DISCOVER}") and "=" in flag]
    return [*plugins, *(flag for flag in (HELP_ALL,) if flag in args), HELP]


def _print_versions() -> int:
    from lerobot_grasp_plugin.lerobot_seams.version import installed
    from lerobot_grasp_plugin.version import VERSION as OWN

    print(f"lerobot_grasp_plugin {OWN} (lerobot {installed()})")
    return 0


def parse_call[Config](
    config_class: type[Config],
    args: Sequence[str] | None,
    *,
    program: str,
    guide: Guide = NO_GUIDE,
    plugins: bool = False,
) -> Config:
    """Parses flags, and a file given as ``--config_path``, into a config.

    Ends the program with exit code 2 and one line for flags, a key or a value that are wrong.

    Args:
        config_class: A dataclass.
        args: The flags; None for those the program was started with.
        program: Its name.
        guide: What its help says besides the options.
        plugins: Whether the command also takes LeRobot's plugin flags, which were taken off ``args``.
    """
    import yaml
    from draccus.argparsing import ArgumentParser
    from draccus.utils import DecodingError, ParsingError

    given = _switched_on(config_class, list(sys.argv[1:] if args is None else args))
    if HELP not in given:
        config_file(given, program)
    reading = ArgumentParser(config_class, prog=program)
    arrange(
        reading.parser,
        guide if guide.purpose else replace(guide, purpose=_first_paragraph(config_class)),
        partial(own_options, config_class),
        everything=HELP_ALL in given,
    )
    make_strict(reading.parser, partial(fail, program), plugins=plugins, lists=_lists(config_class))
    try:
        return reading.parse_args(given)
    except (ParsingError, DecodingError) as error:
        fail(program, in_words(str(error).strip(), config_class))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        fail(program, unread_value(given) or f"the options cannot be read: {error}")


def _lists(config_class: type) -> set[str]:
    """The options whose value is a list."""
    return {f"--{option.name}" for option in fields(config_class) if "list[" in str(option.type)}


def _first_paragraph(config_class: type) -> str:
    return " ".join(cleandoc(config_class.__doc__ or "").partition("\n\n")[0].split())


def _switched_on(config_class: type, args: Sequence[str]) -> list[str]:
    """The flags, with ``true`` after a switch that stands alone."""
    switches = {f"--{option.name}" for option in fields(config_class) if option.type in (bool, "bool")}
    written: list[str] = []
    for flag, follower in zip(args, [*args[1:], "--"], strict=False):
        written.append(flag)
        if flag in switches and follower.startswith("--"):
            written.append("true")
    return written


def config_file(args: Sequence[str], program: str, *, in_folder: str = "") -> dict[str, Any]:
    """The options in the ``--config_path`` file; empty without one.

    Ends the program with exit code 2 and one line, where draccus's error would say less.

    Args:
        args: The flags.
        program: The command's name.
        in_folder: The file's name where a folder is given; without one, a folder is refused.
    """
    import yaml

    given = [value for flag, value in pairwise(args) if flag == "--config_path"]
    given += [arg.partition("=")[2] for arg in args if arg.startswith("--config_path=")]
    content: Any = {}
    for name in given:
        path = Path(name)
        if in_folder and path.is_dir():
            path /= in_folder
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            fail(program, f"--config_path: {name}: {(error.strerror or str(error)).lower()}")
        except (UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
            fail(program, f"--config_path: {name} is not valid YAML or JSON: {yaml_fault(error)}")
        if not isinstance(content, dict):
            fail(program, f"--config_path: {name} must contain options, as `name: value`")
    return dict(content)


def parse_value(text: str) -> Any:
    """The value of a flag, as draccus reads it."""
    import yaml
    from draccus.cfgparsing import parse_string

    try:
        return parse_string(text)
    except yaml.YAMLError:
        return text


def require_extra(program: str, extra: str, *modules: str) -> None:
    """Ends the program with exit code 2 where modules of an extra are not installed."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        names = " and ".join(missing)
        fail(program, f"{names} cannot be imported; install lerobot_grasp_plugin[{extra}]")


def fail(program: str, message: str) -> NoReturn:
    """Ends the program because the call is at fault."""
    print(f"{program}: error: {message}\nSee {program} --help.", file=sys.stderr)
    raise SystemExit(2)


def guarded(action: Callable[[], int], *, writes: bool = False) -> int:
    """Runs a command; errors become one message and an exit code.

    Args:
        action: The command.
        writes: Whether it writes a dataset whole or not at all, and nothing when it fails.

    Returns:
        0 when done, 1 when the data is at fault, 2 when the call is, 130 after Ctrl+C, 143 after SIGTERM
        within ``sigterm_ends``.
    """
    end = "; nothing was written." if writes else "."
    try:
        return action()
    except GraspError as error:
        number = sum(problem.severity == "error" for problem in error.problems)
        print(*folded(error.problems), sep="\n", file=sys.stderr)
        print(f"{count(number, 'error')}{end}", file=sys.stderr)
        return error.exit_code
    except Terminated:
        print(f"terminated{end}", file=sys.stderr)
        return TERMINATED
    except KeyboardInterrupt:
        print(f"interrupted{end}", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"{place}error: {error.strerror or error}{end}", file=sys.stderr)
        return 1


_QUICK_S = 0.5
"""Seconds before a progress bar appears."""


class TerminalProgress:
    """A progress bar on stderr for slow steps, if stderr is a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = ""
        self._visible = sys.stderr.isatty()
        self._begun = time.monotonic()

    def __call__(self, step: str, done: int, total: int) -> None:
        if not self._visible:
            return
        if step != self._step:
            self.close()
            from tqdm import tqdm

            delay = max(0.0, self._begun + _QUICK_S - time.monotonic())
            self._bar = tqdm(total=total, desc=step, delay=delay, leave=False, file=sys.stderr)
            self._step = step
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
            self._step = ""

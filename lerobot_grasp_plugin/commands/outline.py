"""The options of a call, read without LeRobot's classes, which take long to import."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any

from lerobot_grasp_plugin.commands.help import HELP
from lerobot_grasp_plugin.commands.options import DISCOVER, in_words
from lerobot_grasp_plugin.commands.run import config_file, fail, guarded, parse_value


def announce_loading(program: str) -> None:
    """Prints to stderr that PyTorch and LeRobot are being loaded, if they are not loaded yet."""
    if "torch" not in sys.modules:
        print(f"{program}: loading PyTorch and LeRobot, which can take half a minute ...", file=sys.stderr)


@dataclass(frozen=True)
class Outline:
    """The options of a call by their dotted names, flags over the file of ``--config_path``.

    Attributes:
        program: The command's name.
        values: Option name to value, as YAML reads it; those of a file's blocks are flattened.
    """

    program: str
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """The value of an option; None where the call does not name it."""
        return self.values.get(name)

    def names_block(self, name: str) -> bool:
        """Whether the call gives a block, or one of its options."""
        return self[name] is not None or any(known.startswith(f"{name}.") for known in self.values)

    def without(self, name: str) -> Outline:
        """The same call without an option or block that only later imports can read."""
        kept = {
            known: value
            for known, value in self.values.items()
            if known != name and not known.startswith(f"{name}.")
        }
        return Outline(self.program, kept)

    def require(self, *names: str) -> None:
        """Ends the program with exit code 2 where options are missing."""
        missing = [f"--{name}" for name in names if self[name] is None]
        if missing:
            fail(self.program, f"{' and '.join(missing)} must be given")

    def own[Options](self, options: type[Options], block: str | None = None) -> Options:
        """The options that are this package's own, which need no import of LeRobot.

        Ends the program with exit code 2 where one of them is wrong.

        Args:
            options: The dataclass that declares them.
            block: The block they are in; None for options at the top.
        """
        import draccus
        from draccus.utils import DecodingError, ParsingError, deflatten

        names = {block} if block else {entry.name for entry in fields(options)}  # type: ignore[arg-type]  # of a dataclass
        mine = {name: value for name, value in self.values.items() if name.partition(".")[0] in names}
        kind: Any = options
        if block:
            kind = make_dataclass("Own", [(block, options, field(default_factory=options))])
        try:
            decoded = draccus.decode(kind, deflatten(mine, sep="."))
        except (ParsingError, DecodingError) as error:
            fail(self.program, in_words(str(error).strip(), kind))
        own: Options = getattr(decoded, block) if block else decoded
        return own


def check_early(
    given: Sequence[str], program: str, check: Callable[[Outline], None], *, in_folder: str = ""
) -> int:
    """Checks a call before LeRobot is imported; returns the exit code, 0 for one that may go on.

    Ends the program with exit code 2 where the config file cannot be read.

    Args:
        given: The flags.
        program: The command's name.
        check: Raises a ``GraspError`` with all that is wrong.
        in_folder: The config file's name in a folder given as ``--config_path``.
    """
    if HELP in given:
        return 0
    call = read_outline(given, program, in_folder=in_folder)

    def action() -> int:
        check(call)
        return 0

    return guarded(action)


def read_outline(args: Sequence[str], program: str, *, in_folder: str = "") -> Outline:
    """Reads a call's flags and its config file.

    Ends the program with exit code 2 where the file cannot be read.

    Args:
        args: The flags.
        program: The command's name.
        in_folder: The config file's name in a folder given as ``--config_path``.
    """
    values = dict(_flat("", config_file(args, program, in_folder=in_folder)))
    for flag, follower in zip(args, [*args[1:], "--"], strict=False):
        name, assigned, value = flag.removeprefix("--").partition("=")
        given = assigned or not follower.startswith("--")
        if flag.startswith("--") and given and not name.endswith(f".{DISCOVER}"):
            values[name] = parse_value(value if assigned else follower)
    return Outline(program, values)


def _flat(place: str, content: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _flat(f"{place}.{name}" if place else str(name), value)
    else:
        yield place, content

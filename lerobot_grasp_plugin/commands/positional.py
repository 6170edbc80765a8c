"""Takes the values of a call that stand without an option: ``lerobot-grasp-diff A B``."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence


def as_option(option: str, args: Sequence[str], switches: Container[str] = ()) -> list[str]:
    """A call whose values without an option are the list of one option.

    Args:
        option: The option.
        args: The call.
        switches: Options that need no value, with dashes.
    """
    values: list[str] = []
    others: list[str] = []
    before = ""
    for arg in args:
        is_value = before.startswith("--") and "=" not in before
        if before in switches:
            is_value = arg in ("true", "false")
        (others if is_value or arg.startswith("-") else values).append(arg)
        before = "" if is_value else arg
    return [*others, f"--{option}={json.dumps(values)}"] if values else others

"""Many problems, grouped for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lerobot_grasp_plugin.findings.problem import Problem

_SHOWN_ALIKE = 3


def folded(problems: Iterable[Problem], all_in: str = "") -> Iterator[str]:
    """The lines of problems: of many with one code, the first three and how many more.

    Args:
        problems: In order; those of one severity and code come together, at the place of the first one.
        all_in: Where the whole list is, for the line that counts the rest.

    Yields:
        Lines without an end; a hint that several in a row share stands once, after the last of them.
    """
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.severity, problem.code), []).append(problem)
    for (severity, code), group in alike.items():
        shown = group if len(group) <= _SHOWN_ALIKE + 1 else group[:_SHOWN_ALIKE]
        for problem, following in zip(shown, [*shown[1:], None], strict=True):
            yield from problem.body()
            if following is None or following.hint != problem.hint:
                yield from problem.hints()
        if len(shown) < len(group):
            rest = f"{severity}: {len(group) - len(shown)} more like it [{code}]"
            yield f"{rest}; {all_in}" if all_in else rest

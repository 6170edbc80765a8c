"""What a fault of the corpus is: damage to inject, what verify is to call it, and where it is to see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.verify.damage import Target

ALL = ("v2.0", "v2.1", "v3.0")
LEGACY = ("v2.0", "v2.1")
V3 = ("v3.0",)
LABELLED = ("labelled",)


@dataclass(frozen=True)
class Fault:
    """One kind of damage.

    Attributes:
        family: What it belongs to.
        name: What is wrong.
        inject: Does it.
        code: What verify is to call it.
        severity: How it is to grade it.
        where: The file it is to name; None where only episode and frame matter.
        episode: The episode it is to name, or None for none.
        frame: The frame it is to name, or None for none.
        formats: The sound datasets it is injected into.
        level: How deep verify has to look.
    """

    family: str
    name: str
    inject: Callable[[Target], object]
    code: str
    severity: str = "error"
    where: Callable[[Target], Path] | None = None
    episode: int | None = None
    frame: int | None = None
    formats: tuple[str, ...] = ALL
    level: str = "video"


def data_of(target: Target) -> Path:
    return target.data()


def video_of(target: Target) -> Path:
    return target.video()


def info_of(target: Target) -> Path:
    return target.info


def episodes_of(target: Target) -> Path:
    return target.episodes


def tasks_of(target: Target) -> Path:
    return target.tasks


def stats_of(target: Target) -> Path:
    return target.stats


FAULTS: list[Fault] = []


def fault(family: str, name: str, code: str, severity: str = "error", **expected: Any) -> Callable[..., Any]:
    """Adds the decorated function to the corpus as an injector."""

    def register(inject: Callable[[Target], object]) -> Callable[[Target], object]:
        add(family, name, inject, code, severity, **expected)
        return inject

    return register


def add(
    family: str,
    name: str,
    inject: Callable[[Target], object],
    code: str,
    severity: str = "error",
    **expected: Any,
) -> None:
    """Adds a fault to the corpus."""
    FAULTS.append(Fault(family, name, inject, code, severity, **expected))


def at_frame(frame: int, value: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [*values[:frame], value, *values[frame + 1 :]]


AT_5: dict[str, Any] = {"where": data_of, "episode": 1, "frame": 5}

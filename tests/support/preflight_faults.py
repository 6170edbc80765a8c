"""Tables of faults for a sound HIL-SERL config: each is named, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import Case, sound

type Spoil = Callable[[Case], object]


class Fault(NamedTuple):
    """A way to spoil the sound case.

    Attributes:
        spoil: Changes the case before it is written.
        codes: All that preflight must find.
        severity: Of the first code.
    """

    spoil: Spoil
    codes: tuple[str, ...]
    severity: str


@dataclass
class Faults:
    """The faults that one test file plants, by name."""

    by_name: dict[str, Fault] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def plant(self, name: str, codes: str, severity: str = "error") -> Callable[[Spoil], None]:
        """Adds the decorated function, or the function that is handed to the result."""

        def add(spoil: Spoil) -> None:
            assert name not in self.by_name
            self.by_name[name] = Fault(spoil, tuple(codes.split()), severity)

        return add

    def planted(self, name: str, codes: str, path: str, value: object, severity: str = "error") -> None:
        """Adds another value of one setting."""
        self.plant(name, codes, severity)(lambda case: case.set(path, value))

    def assert_named(self, name: str, folder: Path) -> None:
        """Plants a fault into the sound case, and compares what preflight finds."""
        fault = self.by_name[name]
        case = sound(folder)
        fault.spoil(case)
        report = preflight(case.write())
        assert report.codes == set(fault.codes), "\n".join(map(str, report.findings))
        severities = {finding.severity for finding in report.findings if finding.code == fault.codes[0]}
        assert fault.severity in severities
        assert all(str(finding.place) and finding.hint for finding in report.findings)

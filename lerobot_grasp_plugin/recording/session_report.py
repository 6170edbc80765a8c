"""The report of a recording session, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lerobot_grasp_plugin.findings.words import count


@dataclass
class SessionReport:
    """The result of a session.

    Attributes:
        repo_id: The dataset's name, with LeRobot's date.
        root: Its folder.
        annotations: The annotation file next to it.
        recorded: Number of saved episodes of this session.
        total: Number of episodes of the dataset.
        failure: Why the session ended early; None when it ended as planned.
        shutdown: Errors of robot, teleoperator and hooks when they were disconnected.
    """

    repo_id: str
    root: Path
    annotations: Path
    recorded: int
    total: int
    failure: str | None = None
    shutdown: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The saved episodes, and the reason for an early end."""
        if not self.total:
            yield f"No episodes of {self.repo_id} were recorded" + (
                f": {self.failure}" if self.failure else ""
            )
            return
        yield f"{count(self.recorded, 'episode')} recorded; {self.repo_id} has {self.total}, in {self.root}"
        yield f"Annotations: {self.annotations}"
        if self.failure is not None:
            yield f"The session ended early, and its unfinished episode is lost: {self.failure}"

"""What a recording session left behind, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lerobot_grasp_plugin.findings.words import count


@dataclass
class SessionReport:
    """What a session left behind.

    Attributes:
        repo_id: The dataset's name, with LeRobot's date.
        root: Its folder.
        annotations: The annotation file beside it.
        recorded: Episodes of this session that are saved.
        total: Episodes of the dataset.
        failure: What ended the session early; None when it ended as planned.
        shutdown: What robot, teleoperator and hooks had to complain about when they were let go.
    """

    repo_id: str
    root: Path
    annotations: Path
    recorded: int
    total: int
    failure: str | None = None
    shutdown: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """What is saved, and why there is no more of it."""
        if not self.total:
            yield f"No episode of {self.repo_id} was recorded" + (f": {self.failure}" if self.failure else "")
            return
        yield f"{count(self.recorded, 'episode')} recorded; {self.repo_id} has {self.total}, in {self.root}"
        yield f"Annotations: {self.annotations}"
        if self.failure is not None:
            yield f"The session ended early, and the episode then being recorded is lost: {self.failure}"

"""The choices of options; docs/labels.md explains them.

Configs are read before anything slow is imported, so these are separate from the code that uses numpy.
"""

from typing import Literal

Alignment = Literal["frame", "next"]
Done = Literal["keep", "episode_end", "first_success", "last_frame_of_success"]
Unlisted = Literal["error", "fail", "keep", "drop"]
Level = Literal["meta", "data", "video", "decode"]
DiffLevel = Literal["data", "video"]
DiffFormat = Literal["text", "json"]
ReportFormat = Literal["text", "json", "sarif", "markdown"]
Truth = Literal["held", "lifted", "grasped"]

"""One line instead of LeRobot's long warning when torchcodec finds no FFmpeg libraries."""

from __future__ import annotations

import logging
import re
import sys

_LOGGER = "lerobot.utils.import_utils"
_FALLEN_BACK = "Falling back to 'pyav' as a default decoder."
_ERROR = r"(?m)^\w+Error: .*$"
_FOLLOWS = r"OSError: Could not load this library: \S*libtorchcodec\w*\.(so|dylib)"
_NO_FFMPEG = (
    r"OSError: (lib(av|sw)\w+\.[\w.]+: cannot open shared object file: No such file or directory"
    r"|.*Library not loaded: \S*lib(av|sw)\w+\.)"
)
_NOTE = (
    "note: images are decoded with PyAV; torchcodec is installed but finds no FFmpeg libraries "
    "(install them with `apt install ffmpeg` or `conda install ffmpeg`)"
)


def shorten_decoder_warning() -> None:
    """Shortens LeRobot's warning to one line where FFmpeg is missing; other warnings stay as they are."""
    logger = logging.getLogger(_LOGGER)
    if not any(isinstance(each, _Shortened) for each in logger.filters):
        logger.addFilter(_Shortened())


class _Shortened(logging.Filter):
    """Prints the short note once and suppresses LeRobot's long warning."""

    def __init__(self) -> None:
        super().__init__()
        self._said = False

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        causes = [line for line in re.findall(_ERROR, message) if not re.fullmatch(_FOLLOWS, line)]
        missing = causes and all(re.match(_NO_FFMPEG, line) for line in causes)
        if not (missing and message.endswith(_FALLEN_BACK)):
            return True
        if not self._said:
            print(_NOTE, file=sys.stderr)
            self._said = True
        return False

"""Coverage-guided fuzzing of annotation files: nothing but AnnotationError may come out.

uv pip install atheris
python -m tests.support.fuzz_grammar -max_total_time=60 -max_len=512
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from lerobot_grasp_plugin.core.grammar import format_text, parse
    from lerobot_grasp_plugin.findings.problem import AnnotationError


def one(data: bytes) -> None:
    """Parses bytes; what was understood must survive being written and read again."""
    base = (None, 0, 1)[data[0] % 3] if data else None
    try:
        annotations = parse(data[1:], name="fuzz", index_base=base).annotations
    except AnnotationError:
        return
    try:
        text = format_text(annotations)
    except ValueError:
        return
    assert parse(text, name="fuzz").annotations == annotations


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()

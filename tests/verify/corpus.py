"""The corpus of damage: every known fault, each by itself."""

from __future__ import annotations

from tests.verify import (
    faults_of_files,
    faults_of_meaning,
    faults_of_rows,
    faults_of_videos,
    faults_of_wholes,
)
from tests.verify.faults import FAULTS, Fault

__all__ = [
    "FAULTS",
    "Fault",
    "faults_of_files",
    "faults_of_meaning",
    "faults_of_rows",
    "faults_of_videos",
    "faults_of_wholes",
]

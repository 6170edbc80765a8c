"""Keep video encoders from taking real-time priority.

SVT-AV1, LeRobot's default encoder, puts the whole process under ``SCHED_FIFO`` with priority 99 where it may,
as root may (in containers, mostly). The encoder then runs before the loop that moves the arm and before every
other program, and what the process starts later inherits it. Without the capability ``CAP_SYS_NICE`` it
shares the processor with the others.
"""

from __future__ import annotations

import ctypes
import os
import sys

_CAP_SYS_NICE = 23
_PR_CAPBSET_DROP = 24
_VERSION_3 = 0x20080522
"""``_LINUX_CAPABILITY_VERSION_3`` of ``linux/capability.h``: two 32-bit words of each kind."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Word(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def give_up_real_time_priority() -> bool:
    """Drop ``CAP_SYS_NICE`` from this thread and from every process it starts.

    Returns:
        Whether it was dropped; False if this user cannot raise priorities anyway.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    header, words = _Header(_VERSION_3, 0), (_Word * 2)()
    if libc.capget(ctypes.byref(header), words) != 0:
        return False
    bit = 1 << _CAP_SYS_NICE
    if not words[0].permitted & bit:
        return False
    libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_NICE, 0, 0, 0)  # a program started by root would have it again
    words[0].effective &= ~bit
    words[0].permitted &= ~bit
    words[0].inheritable &= ~bit
    return bool(libc.capset(ctypes.byref(header), words) == 0)

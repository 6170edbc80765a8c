"""Importing this makes LeRobot's Feetech driver patient.

Emulated servos on a busy machine may take far longer to answer than the 50 ms after which the driver gives
real ones up. And a machine may stand still as a whole, or its clock be set: a gap between two looks at the
port says nothing about the servo, and hardly counts.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import scservo_sdk
from lerobot.motors.feetech import feetech

PATIENCE_S = 120.0
LONGEST_LOOK_S = 0.05
#: Holds the seconds of patience as soon as it exists, for servos that are not to answer any more.
FILE = Path(os.environ.get("GRASP_PATIENCE_FILE", os.devnull))


def _patience_s() -> float:
    return float(FILE.read_text()) if FILE.is_file() else PATIENCE_S


def _start_waiting(port: Any, packet_length: int) -> None:
    port.waited_s, port.looked_at = 0.0, time.monotonic()


def _is_packet_timeout(port: Any) -> bool:
    now = time.monotonic()
    port.waited_s += min(now - port.looked_at, LONGEST_LOOK_S)
    port.looked_at = now
    return bool(port.waited_s > _patience_s())


feetech.patch_setPacketTimeout = _start_waiting
scservo_sdk.PortHandler.isPacketTimeout = _is_packet_timeout

_ping = feetech.FeetechMotorsBus.ping


def _ping_again(bus: Any, motor: Any, num_retry: int = 0, raise_on_error: bool = False) -> int | None:
    """A ping that got lost is sent again, and a late answer to it thrown away; LeRobot gives the servo up."""
    for _ in range(3):
        try:
            model = _ping(bus, motor, num_retry)
        except IndexError:  # the SDK took the answer of another question for this one
            model = None
        if model is not None:
            return model
        time.sleep(0.5)
        bus.port_handler.ser.reset_input_buffer()
    return _ping(bus, motor, num_retry, raise_on_error)


feetech.FeetechMotorsBus.ping = _ping_again

"""Importing this makes LeRobot's Feetech driver patient.

Emulated servos on a busy machine may take far longer to answer than the 50 ms after which the driver gives
real ones up.
"""

import os

from lerobot.motors.feetech import feetech

PATIENCE_MS = int(os.environ.get("GRASP_PATIENCE_MS", "20000"))


def _patient(port, packet_length):
    port.packet_start_time = port.getCurrentTime()
    port.packet_timeout = port.tx_time_per_byte * packet_length + PATIENCE_MS


feetech.patch_setPacketTimeout = _patient

_ping = feetech.FeetechMotorsBus.ping


def _ping_again(bus, motor, num_retry=0, raise_on_error=False):
    """A first ping that a busy machine lost is sent again; LeRobot itself gives the servo up."""
    return _ping(bus, motor, max(num_retry, 3), raise_on_error)


feetech.FeetechMotorsBus.ping = _ping_again

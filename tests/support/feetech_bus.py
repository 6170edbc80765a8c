"""An emulated bus of six STS3215 servos on a pseudo-terminal, for LeRobot's real SO101 drivers.

The protocol: ``FF FF id length instruction parameters... checksum``; a servo answers with an error
byte in the place of the instruction.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pty
import select
import struct
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

PING, READ, WRITE, SYNC_READ, SYNC_WRITE = 1, 2, 3, 0x82, 0x83
BROADCAST = 0xFE
GOAL_POSITION, PRESENT_POSITION = 42, 56
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
CENTRE = 2048
RANGE = (500, 3600)

Motion = Callable[[int, float], float]


def sway(servo: int, seconds: float) -> float:
    """A leader moved by hand, more or less."""
    return CENTRE + 300 * math.sin(1.5 * seconds + servo)


class FeetechBus:
    """Six servos behind one port.

    Args:
        motion: Position of a servo (id 1-6) at a time, in steps; None for servos that go to their goal.
        bad_every: Each so-manieth answer to a sync read has a wrong checksum; 0 for none.
    """

    def __init__(self, motion: Motion | None = None, bad_every: int = 0) -> None:
        self._motion = motion
        self.bad_every = bad_every
        self.sync_reads = 0
        self.bad_answers = 0
        self.deaf = False  # to single writes: no torque is switched, and nothing is answered
        self._memory = {servo: _new_servo(servo) for servo in range(1, 7)}
        self._started = time.monotonic()
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._unplugged = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Pulls the cable: the port is gone, and stays so."""
        if not self._unplugged.is_set():
            self._unplugged.set()
            self._thread.join()
            os.close(self._master)
            os.close(self._slave)

    def move(self, joint: str, steps: int) -> None:
        """Turns a servo by hand; ``CENTRE`` is the middle."""
        struct.pack_into("<H", self._memory[JOINTS.index(joint) + 1], PRESENT_POSITION, steps)

    def position(self, servo: int) -> int:
        """Present position in steps."""
        return struct.unpack_from("<H", self._memory[servo], PRESENT_POSITION)[0]

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # on a busy machine the driver would not wait long enough
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
        waiting = b""
        while not self._unplugged.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.2)
            if not ready:
                continue
            try:
                waiting += os.read(self._master, 4096)
            except OSError:
                return
            while (packet := _first_packet(waiting)) is not None:
                start, packet_bytes = packet
                waiting = waiting[start + len(packet_bytes) :]
                answer = self._answer(packet_bytes)
                if answer:
                    os.write(self._master, answer)

    def _answer(self, packet: bytes) -> bytes:
        target, instruction, parameters = packet[2], packet[4], packet[5:-1]
        addressed = list(self._memory) if target == BROADCAST else [target] * (target in self._memory)
        if instruction == PING:
            return b"".join(_status(servo) for servo in addressed)
        if instruction == READ:
            return b"".join(self._read(servo, *parameters) for servo in addressed)
        if instruction == WRITE and self.deaf:
            return b""
        if instruction == WRITE:
            for servo in addressed:
                self._write(servo, parameters[0], parameters[1:])
            return b"" if target == BROADCAST else b"".join(_status(servo) for servo in addressed)
        if instruction == SYNC_READ:
            address, size, *servos = parameters
            answer = b"".join(self._read(servo, address, size) for servo in servos)
            self.sync_reads += 1
            if self.bad_every and self.sync_reads % self.bad_every == 0:
                self.bad_answers += 1
                return answer[:-1] + bytes([answer[-1] ^ 0x55])
            return answer
        if instruction == SYNC_WRITE:
            address, size, rest = parameters[0], parameters[1], parameters[2:]
            for at in range(0, len(rest), size + 1):
                self._write(rest[at], address, rest[at + 1 : at + 1 + size])
        return b""

    def _read(self, servo: int, address: int, size: int) -> bytes:
        if address == PRESENT_POSITION and self._motion is not None:
            steps = int(self._motion(servo, time.monotonic() - self._started))
            struct.pack_into("<H", self._memory[servo], PRESENT_POSITION, steps)
        return _status(servo, bytes(self._memory[servo][address : address + size]))

    def _write(self, servo: int, address: int, data: bytes) -> None:
        memory = self._memory[servo]
        memory[address : address + len(data)] = data
        if address == GOAL_POSITION and self._motion is None:
            memory[PRESENT_POSITION : PRESENT_POSITION + 2] = memory[GOAL_POSITION : GOAL_POSITION + 2]


def write_calibration(path: Path) -> None:
    """The calibration file that fits the servos, so that connecting asks nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    joints = {
        name: {
            "id": servo,
            "drive_mode": 0,
            "homing_offset": 0,
            "range_min": RANGE[0],
            "range_max": RANGE[1],
        }
        for servo, name in enumerate(JOINTS, 1)
    }
    path.write_text(json.dumps(joints))


def _new_servo(servo: int) -> bytearray:
    memory = bytearray(256)
    memory[0:2] = bytes([3, 10])  # firmware
    struct.pack_into("<H", memory, 3, 777)  # model: sts3215
    memory[5] = servo
    struct.pack_into("<HH", memory, 9, *RANGE)
    for address in (GOAL_POSITION, PRESENT_POSITION):
        struct.pack_into("<H", memory, address, CENTRE)
    return memory


def _status(servo: int, data: bytes = b"") -> bytes:
    body = bytes([servo, len(data) + 2, 0, *data])
    return b"\xff\xff" + body + bytes([~sum(body) & 0xFF])


def _first_packet(data: bytes) -> tuple[int, bytes] | None:
    """Where the first whole and sound packet starts, and the packet.

    One that breaks off is passed over when another follows: its sender is gone.
    """
    start = data.find(b"\xff\xff")
    while 0 <= start <= len(data) - 6:
        size = data[start + 3] + 4
        packet = data[start : start + size]
        whole = data[start + 2] != 0xFF and 6 <= size == len(packet)
        if whole and ~sum(packet[2:-1]) & 0xFF == packet[-1]:
            return start, packet
        start = data.find(b"\xff\xff", start + 1)
    return None


if __name__ == "__main__":  # for other processes: prints the ports of a leader and a follower
    import sys

    leader, follower = FeetechBus(sway), FeetechBus()
    print(leader.port, follower.port, flush=True)
    sys.stdin.read()

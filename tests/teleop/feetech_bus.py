"""Six STS3215 servos on a pseudo-terminal, enough of the protocol for LeRobot's real drivers.

A packet is ``FF FF id length instruction parameters checksum``; a servo answers reads with
``FF FF id length error data checksum``. The checksum is the inverted low byte of the sum from the id on.
"""

import contextlib
import json
import os
import select
import struct
import threading
import tty
from pathlib import Path

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
_ALL = 0xFE
_PING, _READ, _WRITE, _SYNC_READ, _SYNC_WRITE = 1, 2, 3, 0x82, 0x83
_MODEL, _ID, _LIMITS, _OFFSET, _GOAL, _PRESENT = 3, 5, 9, 31, 42, 56
_STS3215 = 777


class FeetechBus:
    """A bus of servos 1 to 6, each at once where it is sent.

    Attributes:
        port: What to open as serial port.
    """

    def __init__(self):
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._memory = {servo: self._fresh(servo) for servo in range(1, len(JOINTS) + 1)}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @staticmethod
    def _fresh(servo):
        memory = bytearray(128)
        memory[:2] = bytes((3, 10))
        struct.pack_into("<H", memory, _MODEL, _STS3215)
        memory[_ID] = servo
        struct.pack_into("<HH", memory, _LIMITS, 0, 4095)
        struct.pack_into("<H", memory, _GOAL, 2048)
        struct.pack_into("<H", memory, _PRESENT, 2048)
        return memory

    def move(self, joint, position):
        """Turn a servo by hand; 2048 of 4096 is the middle."""
        struct.pack_into("<H", self._memory[JOINTS.index(joint) + 1], _PRESENT, position)

    def write_calibration(self, folder: Path, name: str):
        """The calibration file that agrees with the servos, so that ``connect`` asks nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            joint: {"id": servo, "drive_mode": 0, "homing_offset": 0, "range_min": 0, "range_max": 4095}
            for servo, joint in enumerate(JOINTS, start=1)
        }
        (folder / f"{name}.json").write_text(json.dumps(content))

    def close(self):
        self._closing.set()
        self._thread.join(2)
        os.close(self._slave)
        os.close(self._master)

    def _serve(self):
        received = b""
        while not self._closing.is_set():
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            received += os.read(self._master, 4096)
            while (packet := self._packet(received)) is not None:
                start = received.index(packet)
                received = received[start + len(packet) :]
                answer = self._answer(packet[2], packet[4], packet[5:-1])
                with contextlib.suppress(OSError):
                    os.write(self._master, answer)

    @staticmethod
    def _packet(received):
        """The first whole packet in what came in."""
        start = received.find(b"\xff\xff")
        if start < 0 or len(received) < start + 6:
            return None
        stop = start + 4 + received[start + 3]
        return received[start:stop] if len(received) >= stop else None

    def _answer(self, servo, instruction, parameters):
        addressed = list(self._memory) if servo == _ALL else [servo] if servo in self._memory else []
        if instruction == _PING:
            return b"".join(self._status(one) for one in addressed)
        if instruction == _READ:
            return b"".join(self._status(one, self._read(one, *parameters)) for one in addressed)
        if instruction == _WRITE:
            for one in addressed:
                self._write(one, parameters[0], parameters[1:])
            return b"" if servo == _ALL else b"".join(self._status(one) for one in addressed)
        if instruction == _SYNC_READ:
            address, size, *servos = parameters
            known = [one for one in servos if one in self._memory]
            return b"".join(self._status(one, self._read(one, address, size)) for one in known)
        if instruction == _SYNC_WRITE:
            address, size = parameters[:2]
            for at in range(2, len(parameters), size + 1):
                self._write(parameters[at], address, parameters[at + 1 : at + 1 + size])
        return b""

    def _read(self, servo, address, size):
        return bytes(self._memory[servo][address : address + size])

    def _write(self, servo, address, data):
        memory = self._memory[servo]
        memory[address : address + len(data)] = data
        if address == _GOAL:
            memory[_PRESENT : _PRESENT + 2] = memory[_GOAL : _GOAL + 2]

    @staticmethod
    def _status(servo, data=b""):
        body = bytes((servo, len(data) + 2, 0)) + data
        return b"\xff\xff" + body + bytes((~sum(body) & 0xFF,))

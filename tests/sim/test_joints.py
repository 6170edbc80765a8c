"""The numbers a simulated joint has are those of LeRobot's driver for the same angle."""

import math

import numpy as np
import pytest

from lerobot_grasp_plugin.sim.joints import JOINTS, JointUnits

RANGES = np.array(
    [(-1.92, 1.92), (-1.7, 1.8), (-1.69, 1.69), (-1.66, 1.66), (-2.74, 2.74), (-0.17, 1.75)], dtype=np.float64
)
COUNTS = 4096 / (2 * math.pi)


def driver(use_degrees):
    """A bus of LeRobot's with the calibration such an arm would have, and no port."""
    feetech = pytest.importorskip("lerobot.motors.feetech")
    from lerobot.motors import Motor, MotorCalibration, MotorNormMode

    body = MotorNormMode.DEGREES if use_degrees else MotorNormMode.RANGE_M100_100
    motors, calibration = {}, {}
    for index, joint in enumerate(JOINTS):
        mode = MotorNormMode.RANGE_0_100 if joint == "gripper" else body
        motors[joint] = Motor(index + 1, "sts3215", mode)
        low, high = (round(2048 + limit * COUNTS) for limit in RANGES[index])
        if joint == "wrist_roll":
            low, high = 0, 4095
        calibration[joint] = MotorCalibration(index + 1, 0, 0, low, high)
    return feetech.FeetechMotorsBus(port="/dev/null", motors=motors, calibration=calibration)


@pytest.mark.parametrize("use_degrees", [True, False])
def test_units_are_the_drivers(use_degrees):
    bus = driver(use_degrees)
    units = JointUnits(RANGES, use_degrees=use_degrees)
    for share in (0.02, 0.3, 0.5, 0.71, 0.98):
        angles = RANGES[:, 0] + share * (RANGES[:, 1] - RANGES[:, 0])
        raw = {index + 1: round(2048 + angle * COUNTS) for index, angle in enumerate(angles)}
        expected = bus._normalize(raw)
        found = units.from_radians(angles)
        for index, joint in enumerate(JOINTS):
            assert found[joint] == pytest.approx(expected[index + 1], abs=0.15), joint


def test_goals_come_back_and_stop_at_the_limits():
    units = JointUnits(RANGES, use_degrees=True)
    present = np.zeros(6)
    goal = units.to_radians({"elbow_flex": 30.0, "gripper": 50.0}, present)
    assert goal[2] == pytest.approx(math.radians(30))
    assert goal[5] == pytest.approx((1.75 - 0.17) / 2)
    assert goal[[0, 1, 3, 4]].tolist() == [0, 0, 0, 0]
    assert units.from_radians(goal)["elbow_flex"] == pytest.approx(30)
    far = units.to_radians(dict.fromkeys(JOINTS, 1000.0), present)
    assert far.tolist() == RANGES[:, 1].tolist()

"""An encoder of a program of this package gets no real-time priority, also as root."""

import os
import subprocess
import sys

import pytest

ENCODE = """
import os, sys
from fractions import Fraction
import av, numpy as np
from lerobot_grasp_plugin.commands.priority import give_up_real_time_priority
if "drop" in sys.argv:
    print(give_up_real_time_priority(), give_up_real_time_priority())
with av.open(sys.argv[1], "w") as output:
    stream = output.add_stream("libsvtav1", 10, options={"preset": "12"})
    stream.width = stream.height = 128
    stream.pix_fmt = "yuv420p"
    for number in range(5):
        frame = av.VideoFrame.from_ndarray(np.full((128, 128, 3), number, np.uint8), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 10)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
print(os.sched_getscheduler(0) == os.SCHED_OTHER)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="schedulers as Linux has them")
def test_an_encoder_stays_among_equals(tmp_path):
    program = [sys.executable, "-c", ENCODE, str(tmp_path / "x.mp4"), "drop"]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "True"
    assert lines[0].endswith("False")  # nothing is left to give up


@pytest.mark.skipif(sys.platform != "linux", reason="schedulers as Linux has them")
def test_the_tests_themselves_run_without_it():
    with pytest.raises(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))

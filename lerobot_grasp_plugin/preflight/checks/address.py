"""Checks the address that the learner listens on for its actor."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from lerobot_grasp_plugin.findings.problem import Problem

_PORT = "policy.actor_learner_config.learner_port"


def check_address(host: str, port: int) -> Iterator[Problem]:
    """Checks that the address is free: otherwise LeRobot's learner waits for its actor forever."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError:
        message = f"the learner cannot listen on {host}:{port} and would wait for its actor forever"
        hint = "another learner may be running: stop it, or change the port here and for the actor"
        yield Problem("port-in-use", message, _PORT, hint)

"""Addresses that are printed can be opened by others where the host stands for all addresses."""

from __future__ import annotations

import socket

import pytest

from lerobot_grasp_plugin.commands.addresses import reachable


class _Probe:
    """A socket that would send from the given address."""

    def __init__(self, address: str | None) -> None:
        self.address = address

    def __enter__(self) -> _Probe:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def connect(self, place: tuple[str, int]) -> None:
        if self.address is None:
            raise OSError("Network is unreachable")

    def getsockname(self) -> tuple[str | None, int]:
        return self.address, 4


@pytest.mark.parametrize(
    ("host", "outgoing", "named", "wanted"),
    [
        ("127.0.0.1", "10.1.2.3", [], ["127.0.0.1"]),
        ("lab-pc", "10.1.2.3", [], ["lab-pc"]),
        ("0.0.0.0", "10.1.2.3", ["127.0.1.1"], ["10.1.2.3"]),
        ("0.0.0.0", "10.1.2.3", ["10.1.2.3", "192.168.7.4"], ["10.1.2.3", "192.168.7.4"]),
        ("0.0.0.0", None, ["192.168.7.4"], ["192.168.7.4"]),
        ("0.0.0.0", None, [], ["127.0.0.1"]),
        ("::", "fd00::2", ["fe80::1%eth0"], ["fd00::2"]),
    ],
)
def test_hosts_that_others_can_reach(
    monkeypatch: pytest.MonkeyPatch, host: str, outgoing: str | None, named: list[str], wanted: list[str]
) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: _Probe(outgoing))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", (one, 0)) for one in named])
    assert reachable(host) == wanted

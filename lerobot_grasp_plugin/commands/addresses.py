"""The host names under which a browser reaches a server, by the address it is bound to."""

from __future__ import annotations

import ipaddress
import socket

_ALL = {"0.0.0.0": [(socket.AF_INET, "192.0.2.1")]}
_ALL["::"] = [*_ALL["0.0.0.0"], (socket.AF_INET6, "2001:db8::1")]


def reachable(host: str) -> list[str]:
    """Hosts to put into an address.

    Args:
        host: What the server is bound to; ``0.0.0.0`` and ``::`` stand for every address of this machine.

    Returns:
        ``host`` itself, or the addresses of this machine that others can reach; where there are none,
        the loopback address.
    """
    if host not in _ALL:
        return [host]
    found: list[str] = []
    for family, elsewhere in _ALL[host]:
        found += [*_outgoing(family, elsewhere), *_named(family)]
    return list(dict.fromkeys(found)) or ["127.0.0.1"]


def _outgoing(family: socket.AddressFamily, elsewhere: str) -> list[str]:
    """The address this machine would send from; nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))
        except OSError:
            return []
        return _open([probe.getsockname()[0]])


def _named(family: socket.AddressFamily) -> list[str]:
    """The addresses that this machine's own name stands for."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, family, socket.SOCK_DGRAM)
    except OSError:
        return []
    return _open([str(entry[4][0]) for entry in found])


def _open(addresses: list[str]) -> list[str]:
    """Those that other machines can use."""
    known = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    return [str(one) for one in known if not (one.is_loopback or one.is_link_local or one.is_unspecified)]

"""Ports: a free one, or a clear word about the one that is taken."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack

from orchestrator.domain.errors import StartupFailed

LOOPBACK = "127.0.0.1"


def claim_ports(
    wanted: Mapping[str, tuple[str, int]], others: Mapping[str, set[int]]
) -> dict[str, int]:
    """The port of each setting, of its host and port; see `claim_port`.

    `others` are ports by the setting that leads to somebody else there. Raises StartupFailed with
    all that is wrong: ports that are in use, and those that two settings both name.
    """
    found: dict[str, int] = {}
    refused: list[str] = []
    with ExitStack() as held:  # all at once, so that no two of them get the same
        for setting, (host, port) in wanted.items():
            rival = next((one for one in found if found[one] == port), None)
            if other := next((one for one, ports in others.items() if port in ports), None):
                refused.append(_same(port, other, setting))
                continue
            try:
                listener = held.enter_context(_listener(host, port, setting))
            except StartupFailed as error:
                refused.append(_same(port, rival, setting) if rival else str(error))
            else:
                found[setting] = listener.getsockname()[1]
    if refused:
        raise StartupFailed("; ".join(refused))
    return found


def claim_port(port: int, *, setting: str, host: str = LOOPBACK) -> int:
    """The port to listen on: `port` itself, or for 0 a free one.

    `setting` is what a person sets to choose another. Raises StartupFailed where nobody could
    listen there. The port is not held: what is to listen should do so at once.
    """
    with _listener(host, port, setting) as listener:
        found: int = listener.getsockname()[1]
        return found


def free_port() -> int:
    """A loopback port that nobody listens on."""
    return claim_port(0, setting="the port")


def _listener(host: str, port: int, setting: str) -> socket.socket:
    try:
        return socket.create_server((host, port), family=_family(host))
    except socket.gaierror as error:
        raise StartupFailed(f"{host} is not an address of this machine: {error.strerror}") from None
    except OSError as error:
        raise StartupFailed(_why(error.errno, host, port, setting)) from None


def _same(port: int, one: str, other: str) -> str:
    fix = "set one of them to another port (0 takes a free one)"
    return f"{one} and {other} both name port {port}: {fix}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _why(number: int | None, host: str, port: int, setting: str) -> str:
    if number == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop what listens there, or set {setting}"
            " to another port (0 takes a free one)"
        )
    if number == errno.EACCES:
        return f"port {port} is for the system's own services: set {setting} above 1023"
    return f"cannot listen on {host} port {port}: {os.strerror(number or 0)}; see {setting}"

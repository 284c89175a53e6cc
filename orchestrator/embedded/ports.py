"""Ports: a free one, or a clear word about the one that is taken."""

from __future__ import annotations

import errno
import os
import socket

from orchestrator.domain.errors import StartupFailed

LOOPBACK = "127.0.0.1"


def claim_port(port: int, *, setting: str, host: str = LOOPBACK) -> int:
    """The port to listen on: `port` itself, or for 0 a free one.

    `setting` is what a person sets to choose another. Raises StartupFailed where nobody could
    listen there. The port is not held: what is to listen should do so at once.
    """
    try:
        with socket.create_server((host, port), family=_family(host)) as listener:
            found: int = listener.getsockname()[1]
            return found
    except socket.gaierror as error:
        raise StartupFailed(f"{host} is no address of this machine: {error.strerror}") from None
    except OSError as error:
        raise StartupFailed(_why(error.errno, host, port, setting)) from None


def free_port() -> int:
    """A loopback port that nobody listens on."""
    return claim_port(0, setting="the port")


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

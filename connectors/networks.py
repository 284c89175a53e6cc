"""Which addresses a connector may reach: the public ones, unless its definition says otherwise.

The address is looked at when the connection is made, so that no name can lead elsewhere between a
look and a call.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_Address = tuple[int, int, int, str, tuple[Any, ...]]

REFUSED = "its address is not public, and only `private_network: true` allows that"


class AddressRefused(OSError):
    """Raised when a connection would go to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet's."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or _within_nat64(found)
        if inner is not None:
            return is_public(str(inner))
        if found.teredo is not None or found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def public_socket(info: _Address) -> socket.socket:
    """A socket for an address that is about to be connected to. Raises AddressRefused."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise AddressRefused(REFUSED)
    return socket.socket(family=family, type=kind, proto=protocol)


def _within_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None

"""Which addresses a connector may reach: the public ones, unless its definition says otherwise.

The address is looked at when the connection is made, so that no name can lead elsewhere between a
look and a call.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_Address = tuple[int, int, int, str, tuple[Any, ...]]

REFUSED = "its address is not public, and only `private_network: true` allows that"
REFUSED_ALWAYS = "its address is a cloud's own, for its machines: nothing may be sent there"

_NEVER_PUBLIC = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8",  # this machine
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers, and networks between clouds
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own, though the block is public
        "169.254.0.0/16",  # link-local: the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocols; Oracle's metadata are at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, which no longer exist
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # this machine, and IPv4 in its oldest clothes
        "64:ff9b:1::/48",  # translation within a network
        "100::/64",  # discarded
        "2001::/23",  # protocols: Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # a network's own: Amazon's metadata are at fd00:ec2::254
        "fe80::/10",  # link-local
        "fec0::/10",  # a site's own, as it was called
        "ff00::/8",  # multicast
    )
)
"""Our own list: what the standard library calls global differs from one Python to the next."""

_METADATA = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure
        "169.254.169.254",  # Amazon, Azure, Google, and others
        "169.254.170.2",  # Amazon, containers
        "169.254.170.23",  # Amazon, containers
        "192.0.0.192",  # Oracle
        "fd00:ec2::23",  # Amazon, containers
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
    )
)
"""Where clouds hand out a machine's credentials: no destination, in a private network neither."""

_METADATA_NAMES = frozenset({
    "api.metadata.cloud.ibm.com", "instance-data", "instance-data.ec2.internal", "metadata",
    "metadata.azure.internal", "metadata.goog", "metadata.google.internal",
    "metadata.tencentyun.com",
})  # fmt: skip
"""What clouds call these places: behind a proxy only the proxy may know where a name leads."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(OSError):
    """Raised when a connection would go to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet's."""
    found = _ip(address)
    if found is None or any(found in one for one in _NEVER_PUBLIC if one.version == found.version):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def is_metadata(address: str) -> bool:
    """Whether a cloud hands out credentials at an IP address."""
    return _ip(address) in _METADATA


def public_socket(info: _Address) -> socket.socket:
    """A socket for an address that is about to be connected to. Raises AddressRefused."""
    if not is_public(str(info[4][0])):
        raise AddressRefused(REFUSED)
    return reachable_socket(info)


def reachable_socket(info: _Address) -> socket.socket:
    """The same in a private network, where nearly every address may be reached."""
    family, kind, protocol, _, address = info
    if is_metadata(str(address[0])):
        raise AddressRefused(REFUSED_ALWAYS)
    return socket.socket(family=family, type=kind, proto=protocol)


async def refused_behind_proxy(host: str, *, private_network: bool) -> str | None:
    """Why a target that a proxy connects to may not be asked; None where it may.

    The proxy resolves the name, so this looks at what the name leads to here. A name that leads
    nowhere here is the proxy's to judge: behind many firewalls only the proxy resolves names.
    """
    if host.rstrip(".").lower() in _METADATA_NAMES:
        return REFUSED_ALWAYS
    if _ip(host) is not None:
        found = [host]
    else:
        try:
            async with asyncio.timeout(_RESOLVING_SECONDS):
                infos = await asyncio.get_running_loop().getaddrinfo(host, None)
        except (OSError, UnicodeError, TimeoutError):
            return None
        found = [str(info[4][0]) for info in infos]
    return refusal(found, private_network=private_network)


_RESOLVING_SECONDS = 2.0


def refusal(addresses: list[str], *, private_network: bool) -> str | None:
    """Why none of a target's addresses may be reached; None where all may."""
    if any(map(is_metadata, addresses)):
        return REFUSED_ALWAYS
    if not private_network and not all(map(is_public, addresses)):
        return REFUSED
    return None


def _ip(address: str) -> IP | None:
    """The address that is meant in the end: an IPv4 one in an IPv6 one's clothes is that."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        return found if inner is None else inner
    return found

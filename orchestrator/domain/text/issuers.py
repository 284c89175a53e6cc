"""Addresses of identity providers: https, except on this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

_HERE = ("127.0.0.1", "::1", "localhost")


def issuer_fault(url: str) -> str | None:
    """Why an address cannot be asked for logins; None where it can.

    >>> issuer_fault("https://login.acme.example"), issuer_fault("http://127.0.0.1:9000")
    (None, None)
    >>> issuer_fault("http://login.acme.example")
    'it has to begin with https://'
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not an address"
    if not host or parts.username is not None or parts.fragment:
        return "it is not an address"
    if parts.scheme == "https" or (parts.scheme == "http" and host in _HERE):
        return None
    return "it has to begin with https://"

"""A certificate of localhost that nobody vouches for, until 2119, so that no test has to make one.

Its key is here for everybody to read: it guards nothing.
"""

from __future__ import annotations

import ssl
from pathlib import Path

KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgH/vX7f60dI95JHOI
NOmrOg57OIfYPae1MGuvheQAb1mhRANCAAQhrrTBCIUUtRjid2rgTghwT7teYQkz
bd3CAp/axep2KxV9IVyWRGF3Wu4NTncWdgmmzjtLe/q4AWEVdkSh2r4x
-----END PRIVATE KEY-----
"""
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUSXO6hShgTfNItK4iJrYyxSHA5G4wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMTkxMjA4
MDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQhrrTBCIUUtRjid2rgTghwT7teYQkzbd3CAp/axep2KxV9IVyWRGF3
Wu4NTncWdgmmzjtLe/q4AWEVdkSh2r4xo28wbTAdBgNVHQ4EFgQUy7NHCJSgsnnF
emMI7ORe2R86yzwwHwYDVR0jBBgwFoAUy7NHCJSgsnnFemMI7ORe2R86yzwwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgSwCWpH0RnFijX5+PBau+KPijS/3/IUXqb07c3w5IkhMCIQDC
BWNZI35AKRuHo+33tDhv/MrraGVhwme7g9YxeIr9WQ==
-----END CERTIFICATE-----
"""


def write_self_signed(folder: Path) -> tuple[Path, Path]:
    """Write certificate and key into a folder; answers where, in this order."""
    certificate, key = folder / "localhost.crt", folder / "localhost.key"
    certificate.write_text(CERTIFICATE)
    key.write_text(KEY)
    return certificate, key


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a server with this certificate speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_self_signed(folder))
    return context

"""Asking for a password: without an echo at a terminal, else the next line of stdin."""

from __future__ import annotations

import getpass
import sys


def ask_password(what: str) -> str:
    """What is typed, without the end of the line."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ", stream=sys.stderr)
    return sys.stdin.readline().rstrip("\r\n")

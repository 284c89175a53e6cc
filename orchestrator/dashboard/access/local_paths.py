"""Where to go after the login: to a page of ours, never to another host."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

HOME = "/"

_LONGEST = 2_000  # characters
_NOT_BACK_TO = ("/login", "/logout", "/invite/")


def local_path(asked: str) -> str:
    r"""The path of a page of ours, or that of the first page where it is anything else.

    Browsers take `//evil.example`, `/\evil.example` and `/<tab>/evil.example` for another host.

    >>> local_path("/incidents/7?signed=1"), local_path("//evil.example"), local_path("/\\evil")
    ('/incidents/7?signed=1', '/', '/')
    """
    if not asked.startswith("/") or asked.startswith("//") or len(asked) > _LONGEST:
        return HOME
    if "\\" in asked or not all("!" <= one <= "~" for one in asked):
        return HOME
    try:
        parts = urlsplit(asked)
    except ValueError:
        return HOME
    if parts.scheme or parts.netloc or parts.path.startswith(_NOT_BACK_TO):
        return HOME
    return asked


def login_with(back: str) -> str:
    """The address of the login that leads back to a page."""
    path = local_path(back)
    return "/login" if path == HOME else f"/login?next={quote(path, safe='/')}"

"""A request that was saved to a file, as it went over the line: a line, headers, a body."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.errors import Refused
from orchestrator.domain.sources.request import HookRequest, joined

_MOST_BYTES = 16 * 1024 * 1024
_FIX = "save it as `POST /v1/hooks/NAME HTTP/1.1`, headers, an empty line, and the body"


def read_request(path: Path, *, public_url: str | None) -> HookRequest:
    """The request in a file; `public_url` is the address as the vendor calls it. Raises Refused."""
    try:
        raw = read_bounded(path, _MOST_BYTES)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", field="--request") from None
    return parse_request(raw, public_url=public_url)


def parse_request(raw: bytes, *, public_url: str | None) -> HookRequest:
    """The request in a text; the body stays as it is, byte for byte. Raises Refused."""
    ends = [raw.find(mark) for mark in (b"\r\n\r\n", b"\n\n")]
    end = min((one for one in ends if one >= 0), default=len(raw))
    mark = b"\r\n\r\n" if raw[end : end + 4] == b"\r\n\r\n" else b"\n\n"
    head, body = raw[:end].decode("latin-1").splitlines(), raw[end + len(mark) :]
    words = head[0].split(" ") if head else []
    if len(words) < 2 or not words[0].isupper():
        raise Refused("it does not begin with a request line", field="--request", fix=_FIX)
    headers = []
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise Refused(f"{line!r} is not a header", field="--request", fix=_FIX)
        headers.append((name.strip(), value.strip()))
    found = joined(headers)
    target = urlsplit(words[1])
    address = public_url or f"https://{found.get('host', 'localhost')}{target.path}"
    return HookRequest(
        method=words[0],
        url=f"{address}?{target.query}" if target.query else address,
        headers=found,
        body=body,
        secret_path=secret_in(target.path),
    )


def secret_in(path: str) -> str:
    """What an address has behind the source's name."""
    parts = path.split("/")
    behind = parts.index("hooks") + 2 if "hooks" in parts else len(parts)
    return "/".join(parts[behind:])

"""Secrets in texts that people or tables get to see: every part of one, in every usual spelling.

It is the one place that knows how a destination may repeat what it was shown. Errors pass through
it where they leave a connector, so that logs, audit, alerts, pages and dead letters need not.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlsplit

LEAST_SECRET = 6
"""Characters of a secret that is masked wherever it occurs. A shorter one could be a part of any
word, so it is masked only where it is a word by itself."""

_MASK = "***"
_LOWER_ESCAPE = re.compile("%[0-9A-F]{2}")


def masked(text: str, spelled: Iterable[str]) -> str:
    """The text with every spelling of a secret covered, the longest first."""
    for secret in sorted(spelled, key=len, reverse=True):
        if len(secret) >= LEAST_SECRET:
            text = text.replace(secret, _MASK)
        elif secret:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", lambda _: _MASK, text)
    return text


def masked_in(value: object, spelled: Iterable[str]) -> object:
    """A JSON value with every text in it covered, the names of its fields too."""
    spelled = tuple(spelled)
    if isinstance(value, str):
        return masked(value, spelled)
    if isinstance(value, dict):
        return {masked(str(name), spelled): masked_in(one, spelled) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked_in(one, spelled) for one in value]
    return value


def spellings(secret: str) -> frozenset[str]:
    """The ways in which a destination may repeat a secret; none of an empty one."""
    return frozenset(one for one in _spelled(secret) if one) if secret else frozenset()


def pair_spellings(user: str, password: str) -> frozenset[str]:
    """Those of a login: its password, and both as HTTP and mail servers are shown them."""
    found = spellings(password)
    for pair in (f"{user}:{password}", f"{quote_plus(user)}:{quote_plus(password)}"):
        found |= spellings(pair) | _base64s(pair)
    return found | _base64s(f"\0{user}\0{password}")


def address_spellings(url: str) -> frozenset[str]:
    """Those of a secret address: the whole of it, and each part that could be the secret."""
    parts = {url, url.rstrip("/"), *(one for one in _parts(url) if len(one) >= LEAST_SECRET)}
    return frozenset().union(*map(spellings, parts))


def _parts(url: str) -> Iterator[str]:
    """User and password, the path and the texts between its slashes, the query and its values."""
    try:
        parts = urlsplit(url)
        login = (parts.username, parts.password)
    except ValueError:
        return
    for one in login:
        if one:
            yield from (one, unquote(one))
    path = parts.path.strip("/")
    yield from (f"{path}?{parts.query}" if parts.query else path, path, parts.query)
    for step in path.split("/"):
        yield from (step, unquote(step))
    for pair in parts.query.split("&"):
        value = pair.partition("=")[2]
        yield from (value, unquote_plus(value))
    yield from (value for _, value in parse_qsl(parts.query))


def _spelled(secret: str) -> Iterator[str]:
    yield secret
    percent = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    yield from percent
    yield from (_LOWER_ESCAPE.sub(lambda found: found[0].lower(), one) for one in percent)
    for as_json in (json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        yield as_json[1:-1]
        yield as_json[1:-1].replace("/", "\\/")  # as PHP writes it
    escaped = html.escape(secret, quote=True)
    yield from (escaped, html.escape(secret, quote=False))
    yield escaped.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    if len(secret) >= LEAST_SECRET:
        yield from _base64s(secret)
        digits = secret.encode(errors="replace").hex()
        yield from (digits, digits.upper())


def _base64s(secret: str) -> frozenset[str]:
    """Base64 of a secret wherever it begins in what is encoded: the characters that it decides."""
    plain = secret.encode(errors="replace")
    found = set()
    for shift in range(3):
        begin, end = -(-shift * 8 // 6), (shift + len(plain)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            piece = encode(bytes(shift) + plain).decode()[begin:end]
            if len(piece) >= LEAST_SECRET:
                found.add(piece)
    return frozenset(found)

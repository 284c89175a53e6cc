"""The text that a vendor signs, made of a request."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

from orchestrator.domain.sources.request import HookRequest

_PLACE = re.compile(r"\{([a-z_]+|header\.[A-Za-z0-9-]{1,100})\}")
WORDS = ("body", "timestamp", "method", "url", "hubspot_url", "twilio")

# HubSpot's page on validating requests names these twelve, and no other.
_HUBSPOT = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_FORM = "application/x-www-form-urlencoded"


def template_problem(template: str) -> str | None:
    """Why a text does not say what is signed."""
    for found in re.findall(r"\{[^}]*\}?", template):
        match = _PLACE.fullmatch(found)
        if match is None or ("." not in match[1] and match[1] not in WORDS):
            return f"{found} is not a part of a request"
    if "{body}" not in template and "{twilio}" not in template:
        return "it leaves the body out"
    return None


def signed_text(template: str, request: HookRequest, timestamp: str) -> bytes:
    """What is signed, as bytes; the body as it came."""
    return b"".join(_parts(template, request, timestamp))


def _parts(template: str, request: HookRequest, timestamp: str) -> Iterator[bytes]:
    end = 0
    for match in _PLACE.finditer(template):
        yield template[end : match.start()].encode()
        yield _part(match[1], request, timestamp)
        end = match.end()
    yield template[end:].encode()


def _part(name: str, request: HookRequest, timestamp: str) -> bytes:
    if name == "body":
        return request.body
    if name == "twilio":
        return _twilio(request)
    if name.startswith("header."):
        return request.header(name.removeprefix("header.")).encode(errors="replace")
    texts = {"timestamp": timestamp, "method": request.method, "url": request.url}
    text = _decoded(request.url) if name == "hubspot_url" else texts[name]
    return text.encode(errors="replace")


def _decoded(url: str) -> str:
    return re.sub("%[0-9A-Fa-f]{2}", lambda one: _HUBSPOT.get(one[0].upper(), one[0]), url)


def _twilio(request: HookRequest) -> bytes:
    """Twilio's text: the address, and of a form each field and value, sorted by name.

    Of another body the address holds the digest; where it does not fit, the text is none that
    anybody signed.
    """
    address = request.url.encode(errors="replace")
    if request.header("content-type").partition(";")[0].strip().lower() == _FORM:
        # As bytes, whatever they are: each stands for the character of its number.
        text = request.body.decode("latin-1")
        fields = parse_qsl(text, keep_blank_values=True, encoding="latin-1")
        whole = "".join(name + value for name, value in sorted(set(fields)))
        return address + whole.encode("latin-1")
    said = parse_qs(urlsplit(request.url).query).get("bodySHA256", [""])[0]
    wanted = hashlib.sha256(request.body).hexdigest()
    fits = hmac.compare_digest(said.encode(errors="replace"), wanted.encode())
    return address if fits else address + request.body + b"\0"

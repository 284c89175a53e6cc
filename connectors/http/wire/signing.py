"""Signatures over the exact bytes of a request, for receivers that check them."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping

Signer = Callable[[str, bytes, int], Mapping[str, str]]
"""The headers that sign a body: given the delivery's key, the body, and the time in seconds."""

_PREFIX = "whsec_"


def standard_webhooks(secret: str) -> Signer:
    """Sign as standardwebhooks.com says; the key is the message's id. Raises ValueError.

    The secret is base64, with or without `whsec_` before it.
    """
    try:
        raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("is not base64, as the secrets of Standard Webhooks are") from None
    if not raw:
        raise ValueError("is empty")

    def sign(key: str, body: bytes, now: int) -> Mapping[str, str]:
        signed = f"{key}.{now}.".encode() + body
        signature = base64.b64encode(hmac.digest(raw, signed, "sha256")).decode()
        return {
            "webhook-id": key,
            "webhook-timestamp": str(now),
            "webhook-signature": f"v1,{signature}",
        }

    return sign


def plain_hmac(secret: str, *, header: str, algorithm: str, prefix: str) -> Signer:
    """Sign the body alone, in hex, in one header."""

    def sign(key: str, body: bytes, now: int) -> Mapping[str, str]:
        del key, now
        return {header: prefix + hmac.digest(secret.encode(), body, algorithm).hex()}

    return sign

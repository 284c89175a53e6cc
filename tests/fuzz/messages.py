"""Broker messages as other tools put them on the chains' list."""

from __future__ import annotations

import base64
import functools
import json
import random
import zlib

from tests.fuzz.values import Maker, mangled, written
from tests.poison.rig import Sent, ours

_HEADERS = (
    "task", "id", "eta", "expires", "timelimit", "retries", "shadow", "root_id", "parent_id",
    "group", "argsrepr", "stamps", "stamped_headers", "compression", "origin", "lang", "meshline",
)  # fmt: skip
_PROPERTIES = (
    "delivery_tag", "delivery_info", "priority", "reply_to", "body_encoding", "correlation_id",
    "expiration",
)  # fmt: skip


def message(chance: random.Random) -> bytes:
    """One item of the list: almost ours, ours with another's parts, or nothing like it."""
    make = Maker(chance)
    if make.one_in(10):
        return written(make.value(4))
    args: list[object] = [["0197a0c0ffee70008000000000000001"], chance.randrange(10**6)]
    body: object = [args, {}, {"chain": None}]
    if make.one_in(2):
        body = make.value(3) if make.one_in(2) else [make.value(1), make.value(1), make.value(2)]
    if make.one_in(30):
        body = make.deep(chance.choice((50, 1_000, 20_000))) if make.one_in(2) else ["x" * 500_000]
    raw = _dumped(body)
    headers = ours(chance.choice(("meshline.validate", "meshline.route", "meshline.none", "other")))
    headers["id"] = f"fuzz.{chance.randrange(10**12)}"
    if make.one_in(12):
        raw = _bomb() if make.one_in(4) else zlib.compress(raw)
        headers["compression"] = "application/x-gzip"
    envelope = Sent(body=raw, headers=headers).envelope()
    for place, names in (("headers", _HEADERS), ("properties", _PROPERTIES)):
        if make.one_in(2):
            envelope[place][chance.choice(names)] = make.value(2)
    if make.one_in(8):
        envelope[chance.choice(list(envelope))] = make.value(2)
    if make.one_in(8):
        envelope["body"] = base64.b64encode(mangled(chance, raw[:10_000])).decode()
    item = json.dumps(envelope).encode()
    return mangled(chance, item) if make.one_in(5) else item


@functools.cache
def _bomb() -> bytes:
    """Fifty kilobytes that unfold to fifty megabytes."""
    return zlib.compress(b'["' + b"x" * 50_000_000 + b'"]', 9)


def _dumped(value: object) -> bytes:
    """JSON without a limit to its depth: Python's own writer has one."""
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 20_000 + b"]" * 20_000

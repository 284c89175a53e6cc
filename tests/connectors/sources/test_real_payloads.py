"""Payloads that GitHub recorded: each is proven, and has a type that a workflow can take."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.domain.errors import SignatureRefused
from orchestrator.domain.sources.reading import Bounds, read_events, read_payload
from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.schemes import verify
from tests.conftest import SHARED
from tests.hooks import SECRET, source

PAYLOADS = SHARED / "inputs" / "github-webhooks" / "payloads" / "index.json"
BOUNDS = Bounds(depth=64, values=100_000, events=1)
TRIGGER_TYPE = re.compile(r"[A-Za-z0-9]+([._/:-]+[A-Za-z0-9]+)*")


def _recorded() -> Iterator[tuple[str, object]]:
    """Each recorded payload with the name of its event."""
    for one in json.loads(PAYLOADS.read_text("utf-8")):
        for example in one["examples"]:
            yield one["name"], example


def _request(name: str, payload: object) -> HookRequest:
    body = json.dumps(payload, ensure_ascii=False, indent=1).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-github-event": name,
        "x-github-delivery": hashlib.sha256(body).hexdigest()[:32],
        "x-hub-signature-256": f"sha256={digest}",
    }
    return HookRequest(method="POST", url="", headers=headers, body=body)


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the payloads are not here: ../shared/inputs")
def test_every_recorded_payload_is_proven_and_read_as_it_is() -> None:
    github, count = source("github"), 0
    for name, payload in _recorded():
        request = _request(name, payload)
        verify(github.scheme, request, (SECRET,), now=0)
        (event,) = read_events(
            github.rules, request, read_payload(github.rules, request, BOUNDS), BOUNDS
        )

        assert json.loads(event.payload) == payload
        assert event.type is not None and event.type.startswith(f"github.{name}")
        assert TRIGGER_TYPE.fullmatch(event.type)
        assert event.key is not None
        count += 1
        for place in (0, len(request.body) // 2, len(request.body) - 1):
            changed = bytearray(request.body)
            changed[place] ^= 1
            with pytest.raises(SignatureRefused):
                verify(github.scheme, replace(request, body=bytes(changed)), (SECRET,), now=0)
    assert count > 300

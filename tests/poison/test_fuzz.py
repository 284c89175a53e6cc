"""Any bytes at all on the broker's list: kept, or a message of ours; and the worker goes on."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.poison.bodies import body_of
from tests.poison.rig import Rig, Sent, ours
from tests.waiting import eventually

pytestmark = pytest.mark.processes

KEYS = st.sampled_from(
    ["task", "id", "eta", "expires", "timelimit", "retries", "group", "chord", "chain", "stamps"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    *[("headers", name) for name in ("task", "id", "eta", "expires", "timelimit", "retries")],
    *[("headers", name) for name in ("shadow", "root_id", "parent_id", "group", "argsrepr")],
    *[("headers", name) for name in ("ignore_result", "stamps", "stamped_headers", "compression")],
    *[("headers", name) for name in ("origin", "lang", "replaced_task_nesting", "meshline")],
    *[("properties", name) for name in ("delivery_tag", "delivery_info", "priority", "reply_to")],
    *[("properties", name) for name in ("body_encoding", "correlation_id", "expiration")],
    *[(name,) for name in ("headers", "properties", "body", "content-type", "content-encoding")],
    *[("args",), ("args", "ids"), ("args", "epoch"), ("kwargs",), ("kwargs", "epoch"), ("embed",)],
    *[("embed", name) for name in ("chain", "chord", "callbacks", "errbacks")],
]


@st.composite
def changed_messages(draw: st.DrawFn) -> bytes:
    """A message of ours, a few parts of which are anything or missing."""
    envelope = Sent(headers=ours(id=draw(st.uuids()).hex)).envelope()
    parts: dict[Any, Any] = {"args": [["x"], 1], "kwargs": {}, "embed": {}}
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        whole = parts if place[0] in parts else envelope
        inside = whole.get(place[0]) if len(place) == 2 else whole
        _change(inside, place[-1], draw(st.just(...) | VALUES))
    if isinstance(envelope.get("body"), str):
        body = json.dumps([parts.get(name) for name in ("args", "kwargs", "embed")])
        envelope["body"] = draw(st.just(base64.b64encode(body.encode()).decode()) | st.text())
    return json.dumps(envelope).encode()


def _change(inside: Any, name: str, value: Any) -> None:
    if isinstance(inside, list):
        value = None if value is ... else value
        inside[:] = [value, *inside[1:]] if name == "ids" else [*inside[:1], value]
    elif isinstance(inside, dict):
        inside.pop(name, None)
        if value is not ...:
            inside[name] = value


ITEMS = st.binary(max_size=64) | VALUES.map(lambda one: json.dumps(one).encode())


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,  # so that a run that fails can be had again anywhere
    phases=[Phase.generate],  # to make an example smaller takes a worker that still works
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(items=st.lists(ITEMS | changed_messages(), min_size=1, max_size=10))
def test_whatever_is_on_the_list_is_kept_or_is_ours(valkey_rig: Rig, items: list[bytes]) -> None:
    worker = valkey_rig.worker.pid
    valkey_rig.forget()

    for item in items:
        valkey_rig.put_item(item)

    assert eventually(valkey_rig.waits_for_nothing)
    eventually(lambda: not lost(valkey_rig, items))
    assert lost(valkey_rig, items) == []
    assert valkey_rig.worker.running and valkey_rig.worker.pid == worker


def test_the_worker_still_works_after_all_of_them(on_redis: Rig) -> None:
    assert on_redis.works()


def lost(rig: Rig, items: list[bytes]) -> list[bytes]:
    kept = {body_of(rig, letter.id) for letter in rig.letters()}
    return [one for one in items if not is_kept(one, kept) and not is_ours(one)]


def is_kept(item: bytes, kept: set[bytes]) -> bool:
    """Whether the store has it, as it was or as the body of the message in it."""
    if item in kept:
        return True
    try:
        body = json.loads(item).get("body") or ""
        return body.encode() in kept or base64.b64decode(body) in kept
    except (ValueError, TypeError, AttributeError):
        return False


def is_ours(item: bytes) -> bool:
    """Whether it names a task of ours and an epoch: another release's may be left to the store."""
    try:
        envelope = json.loads(item)
        args, kwargs, _ = json.loads(base64.b64decode(envelope["body"], validate=True))
        epoch = kwargs["epoch"] if "epoch" in kwargs else args[1]
        return type(epoch) is int and envelope["headers"]["task"].startswith("meshline.")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False

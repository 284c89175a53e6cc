"""Whatever is on the queue, it is kept whole, it is off the queue, and the worker goes on."""

from __future__ import annotations

import json
import zlib
from types import SimpleNamespace

import pytest
from kombu.connection import Connection
from kombu.transport.virtual import Message

from orchestrator.domain.access.actor import login
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.quarantine.close_dead_letters import (
    SkippedLetter,
    requeue_dead_letters,
)
from orchestrator.store.quarantine.dead_letters import MOST_KEPT_BYTES, DeadLetter
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.quarantine.list import EVERYTHING
from orchestrator.store.views.quarantine.messages import list_poison
from tests.poison.bodies import body_of
from tests.poison.rig import CHAINS, JSON, Rig, Sent, ours
from tests.waiting import eventually
from workers import app as _registers  # noqa: F401 - the guarded transport
from workers.guard.bury_message import letter_of
from workers.guard.redis_channel import GuardedTransport

pytestmark = pytest.mark.processes

DEEP = b"[" * 5_000 + b"]" * 5_000


def dumped(*parts: object) -> bytes:
    return json.dumps(parts).encode()


def nested(depth: int) -> object:
    inner: object = {}
    for _ in range(depth):
        inner = {"in": inner}
    return inner


MESSAGES = {
    "a body that is not JSON": (Sent(body=b"{not json", headers=ours()), "cannot be decoded"),
    "a body of any bytes": (Sent(body=bytes(range(256)), headers=ours()), "cannot be decoded"),
    "a body nested too deep": (Sent(body=DEEP, headers=ours()), "recursion"),
    "an empty body": (Sent(body=b"", headers=ours()), "not [args, kwargs, embed]"),
    "a body that is not a triple": (Sent(body=b'{"a": 1}', headers=ours()), "not [args"),
    "a content type unheard of": (
        Sent(headers=ours(), content_type="application/x-foo"),
        "application/x-foo",
    ),
    "a pickle": (Sent(headers=ours(), content_type="application/x-python-serialize"), "x-python"),
    "no content type": (Sent(headers=ours(), content_type=None), "not [args"),
    "an encoding unheard of": (Sent(headers=ours(), content_encoding="klingon"), "klingon"),
    "an encoding of other bytes": (
        Sent(body=b'["\xe9"]', headers=ours(), content_encoding="latin-1"),
        "latin-1",
    ),
    "a compression unheard of": (Sent(headers=ours(compression="application/x-foo")), "compressed"),
    "a body that unfolds to a thousand times its size": (
        Sent(body=zlib.compress(b"[" * 20_000_000, 9), headers=ours(compression="gzip")),
        "compressed",
    ),
    "a compression that is not true": (
        Sent(headers=ours(compression="application/x-gzip")),
        "compressed",
    ),
    "a task unheard of": (Sent(headers=ours("ghost")), "no task 'ghost'"),
    "a task of Celery's own": (Sent(headers=ours("celery.backend_cleanup")), "no task"),
    "no id": (Sent(headers={"task": "meshline.validate"}), "no id"),
    "no task": (Sent(headers={"id": "one"}), "no task"),
    "no headers": (Sent(headers=None), "no task"),
    "an ETA that is not a time": (Sent(headers=ours(eta="soon")), "eta"),
    "an ETA in a thousand years": (Sent(headers=ours(eta="3026-01-01T00:00:00")), "eta"),
    "a time limit that is not a pair": (Sent(headers=ours(timelimit="long")), "timelimit"),
    "arguments that are not ours": (Sent(body=b'[["x"], {"y": 1}, {}]', headers=ours()), "ids"),
    "ids that are not a list": (Sent(body=b'[["x", "y"], {}, {}]', headers=ours()), "ids"),
    "an epoch that is not a number": (
        Sent(body=b'[[["x"], "y"], {}, {}]', headers=ours()),
        "epoch",
    ),
}


@pytest.mark.parametrize("shape", MESSAGES)
def test_a_message_that_cannot_be_read_is_kept_as_it_was(rig: Rig, shape: str) -> None:
    sent, why = MESSAGES[shape]

    rig.put(sent)

    assert eventually(lambda: bool(rig.letters()))
    assert rig.works()
    (letter,) = rig.letters()
    assert why in letter.error
    assert body_of(rig, letter.id) == sent.body
    assert letter.headers == (sent.headers or {})
    assert (letter.content_type, letter.content_encoding) == (
        *(sent.content_type, sent.content_encoding),
    )
    assert letter.queue == CHAINS
    assert eventually(lambda: rig.copies() == [sent.body])


def changed(**parts: object) -> bytes:
    """A message on a Redis list, one part of which is wrong."""
    return json.dumps(Sent(headers=ours()).envelope() | parts).encode()


ITEMS = {
    "bytes": b"\xff\xfe\x00",
    "nothing": b"",
    "text": b"hello",
    "a list": b"[]",
    "a null": b"null",
    "an object": b"{}",
    "a number without end": b"9" * 5_000,
    "nesting without end": b"[" * 100_000,
    "a time that is none": b'{"__type__": "datetime", "__value__": "soon"}',
    "base64 that is none": changed(body="!"),
    "a body that is a number": changed(body=5),
    "headers that are a list": changed(headers=[1]),
    "headers that are a text": changed(headers="x"),
    "properties that are a number": changed(properties=5),
    "properties nested as deep as can be read": changed(
        properties=Sent().envelope()["properties"] | {"meta": nested(900)}
    ),
    "properties without a tag": changed(properties={"body_encoding": "base64"}),
    "a content type that is a list": changed(**{"content-type": [JSON]}),
}


@pytest.mark.parametrize("shape", ITEMS)
def test_an_item_that_is_no_message_is_kept_as_it_was(on_redis: Rig, shape: str) -> None:
    item = ITEMS[shape]

    on_redis.put_item(item)

    assert eventually(lambda: bool(on_redis.letters()))
    assert on_redis.works()
    (letter,) = on_redis.letters()
    assert "it is not a message" in letter.error
    assert body_of(on_redis, letter.id) == item
    assert letter.headers is None
    assert on_redis.copies() == [item]


def test_of_a_message_without_end_the_beginning_is_kept(rig: Rig) -> None:
    body = b"[" + b" " * 3_000_000

    rig.put(Sent(body=body, headers=ours()))

    assert eventually(lambda: bool(rig.letters()))
    assert rig.works()
    (letter,) = rig.letters()
    assert "bytes, ours at most" in letter.error
    assert letter.cut_from and letter.cut_from > len(body)
    assert len(body_of(rig, letter.id)) == MOST_KEPT_BYTES
    done = requeue_dead_letters(rig.store, [letter.id], fail, actor=login("cli:ada"))
    assert (done.ids, done.skipped) == ([], [SkippedLetter(id=letter.id, state="cut")])


def fail(_: DeadLetter) -> None:
    raise AssertionError("a part of a message was put back")


def test_headers_nested_too_deep_are_kept(rig: Rig) -> None:
    rig.put(Sent(headers=ours(meta=nested(100))))

    assert eventually(lambda: bool(rig.letters()))
    assert rig.works()
    assert "too deep" in rig.letters()[0].error


def test_the_same_message_delivered_twice_is_one_dead_letter(rig: Rig) -> None:
    for name in ("ghost", "ghost", "another ghost"):
        rig.put(Sent(headers=ours(name)))

    assert rig.works()
    assert [letter.task for letter in rig.letters()] == ["ghost", "another ghost"]


def test_a_message_is_not_believed_where_it_comes_from(on_redis: Rig) -> None:
    envelope = Sent(headers=ours("ghost")).envelope()
    envelope["properties"]["delivery_info"]["routing_key"] = "elsewhere"

    on_redis.put_item(json.dumps(envelope).encode())

    assert eventually(lambda: bool(on_redis.letters()))
    assert on_redis.works()
    assert on_redis.letters()[0].queue == CHAINS


@pytest.mark.parametrize(("scheme", "tls"), [("redis", False), ("rediss", True)])
def test_the_guard_leaves_the_transport_as_it_is(scheme: str, tls: bool) -> None:
    connection = Connection(f"{scheme}://127.0.0.1:1/0")

    assert connection.get_transport_cls() is GuardedTransport
    assert bool(connection.ssl) is tls


def test_what_a_broker_writes_on_what_it_delivers_again_is_no_part_of_it() -> None:
    def taken(**marks: object) -> DeadLetter:
        channel = SimpleNamespace(decode_body=lambda body, _: body)
        envelope = Sent(headers=ours("ghost", **marks)).envelope()
        return letter_of(Message(envelope, channel=channel), "no such task")

    first, again = taken(), taken(**{"redelivered": True, "x-delivery-count": 1, "x-death": []})

    assert first.digest() == again.digest()
    assert first.digest() != taken(retries=1).digest()


OTHER_RELEASES = {
    "one more argument": Sent(body=b'[[["x"], 7, "new"], {}, {}]', headers=ours()),
    "another argument": Sent(body=b'[["x"], {"epoch": 7}, {}]', headers=ours()),
    "another task": Sent(body=b'[[["x"], 7], {}, {}]', headers=ours("meshline.approve")),
    "a next link that is a list": Sent(
        body=b'[[["x"], 7], {}, {"chain": [{"task": []}]}]', headers=ours()
    ),
    "links without end": Sent(
        body=dumped([["x"], 7], {}, {"chain": [{"task": "meshline.route"}] * 3}), headers=ours()
    ),
    "more ids than a group has": Sent(body=dumped([["x"] * 1_001, 7], {}, {}), headers=ours()),
    "another next link": Sent(
        body=b'[[["x"], 7], {}, {"chain": [{"task": "meshline.approve"}]}]', headers=ours()
    ),
}


@pytest.mark.parametrize("shape", OTHER_RELEASES)
def test_a_message_of_another_release_is_left_to_the_store(rig: Rig, shape: str) -> None:
    rig.put(OTHER_RELEASES[shape])

    assert rig.works()
    assert eventually(lambda: "a message of another release" in rig.worker.output())
    assert rig.letters() == []


def test_poison_is_in_the_quarantine_with_an_owner(rig: Rig) -> None:
    rig.put(Sent(headers=ours("ghost")))
    assert eventually(lambda: bool(rig.letters()))

    keep_clocks(rig.store, TermsShelf(), steward="steward@example.com")

    with rig.store.read() as tx:
        (one,) = list_poison(tx, EVERYTHING)

    assert (one.reason, one.owner) == ("poison_message", "steward@example.com")
    assert one.dead_letter == rig.letters()[0].id

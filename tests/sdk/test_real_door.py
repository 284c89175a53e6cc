"""The SDK and the door speak one language."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshline import Event, Misconfigured, Producer, Refused, encoding
from meshline.answers import as_failure
from meshline.core import Core
from meshline.errors import Explained
from meshline.testing import RecordingTransport
from meshline.transport import Request, Transport
from orchestrator.api import triggers
from orchestrator.domain.documents import json_faults
from orchestrator.settings import Settings
from tests.api.doors import LEAD, leads_store, open_door


@pytest.fixture(scope="module")
def producer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Producer]:
    folder: Path = tmp_path_factory.mktemp("door")
    with (
        leads_store(folder) as store,
        open_door(store) as door,
        Producer(f"http://127.0.0.1:{door.port}", key=door.key, deadline=60) as producer,
    ):
        yield producer


@pytest.fixture
def headers(producer: Producer) -> dict[str, str]:
    assert isinstance(producer.steps, Core)
    return {"Authorization": producer.steps._authorization, "Content-Type": "application/json"}


def test_a_trigger_is_accepted_once(producer: Producer) -> None:
    first = producer.emit("lead.created", LEAD, client="acme", idempotency_key="form-1")
    again = producer.emit("lead.created", LEAD, client="acme", idempotency_key="form-1")

    assert not first.duplicate
    assert again.duplicate
    assert again.id == first.id


def test_a_batch_is_answered_item_by_item(producer: Producer) -> None:
    known = Event("lead.created", LEAD, idempotency_key="form-2")
    producer.emit_many([known])

    emitted = producer.emit_many([Event("lead.created", LEAD), known])

    assert [one.duplicate for one in emitted] == [False, True]
    assert len({one.id for one in emitted}) == 2


def test_a_refusal_arrives_with_its_code_field_and_fix(producer: Producer) -> None:
    with pytest.raises(Refused) as refused:
        producer.emit("lead.creatd", LEAD)

    assert refused.value.code == "unknown_trigger"
    assert refused.value.status == 422
    assert refused.value.field == "type"
    assert refused.value.fix


def test_one_wrong_trigger_refuses_its_batch_and_is_named(producer: Producer) -> None:
    with pytest.raises(Refused) as refused:
        producer.emit_many([*(Event("lead.created", LEAD) for _ in range(501)), Event("no", LEAD)])

    assert refused.value.index == 501
    assert refused.value.field == "type"
    assert len(refused.value.emitted) == 500  # the batch before it


def test_a_key_that_is_not_taken_is_misconfigured(producer: Producer) -> None:
    url = repr(producer).removeprefix("Producer('").removesuffix("')")

    with Producer(url, key="mk_no") as stranger, pytest.raises(Misconfigured) as wrong:
        stranger.emit("lead.created", LEAD, idempotency_key="form-1")

    assert (wrong.value.status, wrong.value.code) == (401, "key_refused")
    assert wrong.value.idempotency_key == "form-1"


def _nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "changed",
    [
        {"type": ""},
        {"type": "x" * 256},
        {"type": "lead\ncreated"},
        {"type": "lead.creatd"},
        {"idempotency_key": ""},
        {"idempotency_key": "k" * 401},
        {"idempotency_key": "a\x7fb"},
        {"client": ""},
        {"client": "another"},
        {"data": "x" * (1024 * 1024)},
        {"data": _nested(65)},
        {"data": [1] * 100_000},
    ],
    ids=lambda changed: f"{next(iter(changed))}-{str(next(iter(changed.values())))[:12]!r}",
)
def test_the_door_for_tests_refuses_what_a_door_refuses(
    producer: Producer, headers: dict[str, str], changed: dict[str, Any]
) -> None:
    """On the wire, past the SDK's own check: in kind, code and field the two are the same."""
    said = {"type": "lead.created", "data": LEAD, "idempotency_key": "form-9", **changed}
    in_tests = RecordingTransport(types=["lead.created"], clients=["acme"])

    real, fake = (_refusal(one, headers, said) for one in (producer.transport, in_tests))

    assert real == fake


def _refusal(
    door: Transport, headers: dict[str, str], said: dict[str, Any]
) -> tuple[type[Explained], str, str | None]:
    request = Request("/v1/events", headers, json.dumps(said).encode(), 20)
    failure = as_failure(door.send(request))
    assert isinstance(failure, Explained)
    return type(failure), failure.code, failure.field


def test_the_sdk_and_the_door_have_one_set_of_rules() -> None:
    settings = Settings()

    assert encoding.LONGEST == {
        "type": triggers.LONGEST_TYPE,
        "idempotency_key": triggers.LONGEST_KEY,
        "client": triggers.LONGEST_CLIENT,
    }
    assert (encoding.SMALLEST_INTEGER, encoding.LARGEST_INTEGER) == (
        json_faults.SMALLEST_INTEGER,
        json_faults.LARGEST_INTEGER,
    )
    assert (
        settings.max_depth,
        settings.max_body_bytes,
        settings.max_values,
    ) == (encoding.DEEPEST, encoding.MOST_BYTES, encoding.MOST_VALUES)

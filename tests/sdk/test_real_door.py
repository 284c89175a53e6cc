"""The SDK and the door speak one language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshline import Event, Producer, Refused
from tests.api.doors import LEAD, leads_store, open_door


@pytest.fixture(scope="module")
def producer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Producer]:
    folder: Path = tmp_path_factory.mktemp("door")
    with (
        leads_store(folder) as store,
        open_door(store) as door,
        Producer(f"http://127.0.0.1:{door.port}", key=door.key) as producer,
    ):
        yield producer


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

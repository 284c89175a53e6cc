"""What a chain looks like on the broker: ids and an epoch, and names that Flower can show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from orchestrator.domain.lifecycle import Stage
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.settings import settings
from orchestrator.store.drive.claim import Group

pytestmark = pytest.mark.processes


@pytest.fixture
def broker(valkey: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("MESHLINE_BROKER_URL", valkey.url)
    settings.cache_clear()
    options = settings().celery_config()["broker_transport_options"]
    celery = Celery("reader", broker=valkey.url, broker_transport_options=options)
    with celery.connection_for_read() as connection:
        yield connection
    settings.cache_clear()


def published(broker: Any, group: Group) -> Any:
    from workers.app import app
    from workers.chain import publish

    app.conf.broker_url = settings().broker
    with app.connection_for_write() as connection, connection.Producer() as producer:
        publish(group, producer)
    queue = broker.SimpleQueue("meshline")
    message = queue.get(timeout=5)
    message.ack()
    with pytest.raises(queue.Empty):  # one group is one message
        queue.get(block=False)
    queue.close()
    return message


def test_a_group_is_one_message_that_names_its_events_and_stage(broker: Any) -> None:
    group = Group(epoch=7, workflow_id=1, stage=Stage.VALIDATE, ids=("a1", "b2", "c3"))

    message = published(broker, group)

    args, _, embedded = message.payload
    assert args == [["a1", "b2", "c3"], 7]
    assert message.headers["task"] == "meshline.validate"
    assert message.headers["id"] == "a1+2.validate.7"
    assert message.headers["argsrepr"] == "validate events=a1,b2,c3 epoch=7"
    following = [one["task"] for one in reversed(embedded["chain"])]
    assert following == ["meshline.route", "meshline.dispatch"]
    assert [one["args"] for one in embedded["chain"]] == [[7], [7]]  # the ids come with the result


def test_an_event_alone_gives_its_name_to_its_tasks(broker: Any) -> None:
    group = Group(epoch=9, workflow_id=1, stage=Stage.DISPATCH, ids=("a1",))

    message = published(broker, group)

    assert message.headers["id"] == "a1.dispatch.9"
    assert not message.payload[2]["chain"]

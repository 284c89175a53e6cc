"""What a destination is called with belongs to the trace that the event came in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.fake import FakeConnector
from orchestrator.domain.delivery.handoff import Outgoing
from orchestrator.domain.trace_context import read_trace
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.settings import Settings
from orchestrator.store.drive.stages import Saving
from orchestrator.store.views.events.show import show_event
from tests.leads import claim_groups, drive_to_routed, lead, publish_leads
from workers.app import Process
from workers.dispatch import dispatch_group

FAKE = """\
connector: fake
kind: fake
actions: {record: {idempotency: lookup, proof: read_back, open_fields: true}}
"""


def test_each_delivery_is_called_with_the_trace_of_its_event_and_an_id_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fake.yaml").write_text(FAKE)
    url = f"sqlite:///{tmp_path / 'meshline.db'}"
    config = Settings(database_url=url, connectors=tmp_path, broker_url="redis://127.0.0.1:1/0")
    called: dict[str, Mapping[str, str]] = {}
    create = FakeConnector.create

    async def noting(self: FakeConnector, call: Outgoing) -> str:
        called[call.key] = call.trace
        return await create(self, call)

    monkeypatch.setattr(FakeConnector, "create", noting)
    trace = read_trace(f"00-{'a' * 32}-{'b' * 16}-01", "rojo=1")
    with closing(Process(config)) as process:
        publish_leads(process.store)
        traced = replace(lead(1, tier="enterprise"), trace=trace)
        accepted, plain = accept_batch(process.store, [traced, lead(2)], actor="key:test")
        (group,) = claim_groups(process.store)
        drive_to_routed(process.store, group)
        saving = Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
        dispatch_group(process, group.ids, saving)
        with process.store.read() as tx:
            event = show_event(tx, accepted.id)

    assert event is not None and event.state == "delivered" and event.trace is not None
    assert called.pop(f"{plain.id}.crm") == {}
    assert called == {
        key: {"traceparent": f"00-{'a' * 32}-{span}-01", "tracestate": "rojo=1"}
        for key, span in event.trace.spans.items()
    }
    assert len(set(event.trace.spans.values())) == 2

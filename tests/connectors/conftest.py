from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.fake import FakeConnector
from connectors.registry import load_connectors
from connectors.rigging import Bench, Rig, set_up
from tests.connectors.http.people import People
from tests.connectors.http.stub import Stub
from tests.connectors.rigs import OWN, PROJECT, FakeRig, MailRig, SandboxRig

pytest.register_assert_rewrite("connectors.conformance")

TICKET: dict[str, object] = {"title": "Onboard lead@example.com", "queue": "senior"}
CONTACT: dict[str, object] = {"email": "lead@example.com", "tier": "enterprise"}
ANY: dict[str, object] = {"text": "hello", "score": 1.5, "tags": ["a", {"b": None}]}


@pytest.fixture
def run() -> Iterator[Callable[..., Any]]:
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def sandbox_rig(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SandboxRig]]:
    """Makes rigs with a sandbox of their own."""
    rigs = []

    def make(
        connector: str, action: str, fields: dict[str, object], folder: Path = OWN
    ) -> SandboxRig:
        rig = SandboxRig(connector, action, fields, folder=folder, environment=monkeypatch)
        run(rig.start())
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        run(rig.stop())


@pytest.fixture
def helpdesk(sandbox_rig: Callable[..., SandboxRig], run: Callable[..., Any]) -> Bench:
    rig = sandbox_rig("helpdesk", "create_ticket", TICKET, PROJECT / "workflows/connectors")
    return Bench(rig, run)


@pytest.fixture(
    params=[
        "http-lookup",
        "http-native-key",
        "http-open-fields",
        "http-read-back-only",
        "http-receipt",
        "http-conflict",
        "http-conflict-search",
        "http-update",
        "http-upsert",
        "mail",
        "fake",
        "fake-receipt",
    ]
)
def bench(
    request: pytest.FixtureRequest,
    run: Callable[..., Any],
    sandbox_rig: Callable[..., SandboxRig],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Bench]:
    """Every connector that there is, with a destination behind it."""
    shown = PROJECT / "workflows/connectors"
    sandboxed = {
        "http-lookup": ("helpdesk", "create_ticket", TICKET, shown),
        "http-native-key": ("crm", "upsert_contact", CONTACT, shown),
        "http-open-fields": ("records", "keep", ANY, OWN),
        "http-read-back-only": ("records", "keep_once", ANY, OWN),
        "http-receipt": ("records", "notify", ANY, OWN),
    }
    made: dict[str, Callable[[], Rig]] = {
        "http-conflict": lambda: People("add", monkeypatch),
        "http-conflict-search": lambda: People("add_and_search", monkeypatch),
        "http-update": lambda: People("change", monkeypatch),
        "http-upsert": lambda: People("upsert", monkeypatch),
        "mail": lambda: MailRig(monkeypatch, tmp_path),
        "fake": lambda: FakeRig("record"),
        "fake-receipt": lambda: FakeRig("notify"),
    }
    if request.param in sandboxed:
        yield Bench(sandbox_rig(*sandboxed[request.param]), run)
    else:
        with set_up(made[request.param](), run) as bench:
            yield bench


@pytest.fixture
def stub(run: Callable[..., Any]) -> Iterator[Stub]:
    stub = Stub()
    run(stub.start())
    yield stub
    run(stub.stop())


@pytest.fixture
def fake() -> FakeConnector:
    connector = load_connectors(None)["fake"]
    assert isinstance(connector, FakeConnector)
    return connector

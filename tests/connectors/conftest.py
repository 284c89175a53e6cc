from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.fake import FakeConnector
from connectors.registry import load_connectors
from tests.connectors.rigs import OWN, PROJECT, Bench, FakeRig, MailRig, Rig, SandboxRig
from tests.connectors.stub import Stub

TICKET: dict[str, object] = {"title": "Onboard lead@example.com", "queue": "senior"}
CONTACT: dict[str, object] = {"email": "lead@example.com", "tier": "enterprise"}
ANY: dict[str, object] = {"text": "hello", "score": 1.5, "tags": ["a", {"b": None}]}


@pytest.fixture
def run() -> Iterator[Callable[..., Any]]:
    with asyncio.Runner() as runner:
        yield runner.run


@contextmanager
def set_up(rig: Rig, run: Callable[..., Any]) -> Iterator[Bench]:
    run(rig.start())
    yield Bench(rig, run)
    run(rig.stop())


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
    match request.param:
        case "http-lookup":
            yield Bench(sandbox_rig("helpdesk", "create_ticket", TICKET, shown), run)
        case "http-native-key":
            yield Bench(sandbox_rig("crm", "upsert_contact", CONTACT, shown), run)
        case "http-open-fields":
            yield Bench(sandbox_rig("records", "keep", ANY), run)
        case "http-read-back-only":
            yield Bench(sandbox_rig("records", "keep_once", ANY), run)
        case "http-receipt":
            yield Bench(sandbox_rig("records", "notify", ANY), run)
        case "mail":
            with set_up(MailRig(monkeypatch, tmp_path), run) as bench:
                yield bench
        case "fake":
            with set_up(FakeRig("record"), run) as bench:
                yield bench
        case "fake-receipt":
            with set_up(FakeRig("notify"), run) as bench:
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

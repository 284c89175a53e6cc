"""A door with sources, before each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor, open_door
from tests.hooks import SECRET, SECRETS, source_text
from tests.leads import publish_leads


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources: what needs no time of signing, and one that has no secret here."""
    folder = tmp_path / "sources"
    folder.mkdir()
    monkeypatch.setenv("MESHLINE_HOOK_SECRET", SECRET)
    monkeypatch.setenv("MESHLINE_LOGIN", SECRETS["basic"])
    for name in ("github", "hmac", "secret-path", "gitlab", "slack", "hubspot", "twilio"):
        (folder / f"{name}.yaml").write_text(source_text(name))
    basic = source_text("basic").replace("HOOK_SECRET", "LOGIN")
    (folder / "basic.yaml").write_text(basic)
    (folder / "leads.yaml").write_text(source_text("leads", extends="hmac"))
    closed = source_text("closed", extends="hmac").replace("HOOK_SECRET", "NOT_THERE")
    (folder / "closed.yaml").write_text(closed)
    return folder


@pytest.fixture
def hooked(store: Store, sources: Path) -> Iterator[RunningDoor]:
    """A door with these sources, before each kind of store; the workflow of leads is live."""
    publish_leads(store)
    with open_door(store, Settings(stop_seconds=5, sources=sources)) as door:
        yield door

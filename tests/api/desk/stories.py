"""A door in front of a store in which every route has something to do, and people with keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.operations.access.keys import create_key
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.quarantine.list import list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from tests.api.doors import RunningDoor, run_door
from tests.hooks import FORM, SECRET, source_text
from tests.people import ADMIN, add, add_admin, key_of
from tests.store.access.story import Story, tell_story
from tests.stores import open_new

TOKEN = "X-Hook-Token"
_MUCH = "limits: {rate: {calls: 1000000, per: 1s}}\n"
SOMEBODY = "somebody@acme.example"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a test has."""

    store: Store
    door: RunningDoor  # its key is the admin's, for every client
    admin: Actor
    story: Story
    incident: int
    quarantined: str  # an event

    def key_of(self, role: Role, client: str) -> str:
        """The key of a person with one role for one client; of a program, for a producer."""
        if role is Role.PRODUCER:
            return create_key(self.store, clients=[client], label="t", actor=self.admin)
        person = f"{role}@{client.replace('*', 'all')}.example"
        add(self.store, person, role, client)
        return key_of(self.store, person, role, client)


@contextmanager
def open_desk(folder: Path) -> Iterator[Desk]:
    """A door, and a store in which there is a story."""
    store = open_new(folder / "store" / "meshline.db")
    try:
        story = tell_story(store)
        admin = add_admin(store)
        add(store, SOMEBODY, Role.VIEWER, "acme")
        key = key_of(store, ADMIN, Role.ADMIN, EVERY_CLIENT)
        with store.read() as tx:
            incident = list_incidents(tx, Sought())[0].id
            quarantined = list_quarantine(tx, Selection())[0].id
        config = Settings(stop_seconds=5, sources=_sources(folder / "sources"))
        with run_door(store, config, None, key=key) as door:
            yield Desk(
                store=store,
                door=door,
                admin=admin,
                story=story,
                incident=incident,
                quarantined=quarantined,
            )
    finally:
        store.close()


def _sources(folder: Path) -> Path:
    """A form, and a source that sends a token along; neither meets its limits."""
    folder.mkdir()
    form = FORM[: FORM.index("limits:")] + FORM[FORM.index("type:") :]
    (folder / "contact.yaml").write_text(form + _MUCH)
    (folder / "secret").write_text(SECRET)
    token = source_text("token", extends="hmac", more=_MUCH)
    token = token.replace("env:MESHLINE_HOOK_SECRET", "file:secret")
    (folder / "token.yaml").write_text(f"{token}signature: {{token: {{header: {TOKEN}}}}}\n")
    return folder

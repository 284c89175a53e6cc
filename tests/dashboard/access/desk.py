"""A Flower that people log in to, and a browser of one of them, without a window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.operations.access.log_in import begin_session
from orchestrator.operations.access.people import (
    RoleChange,
    accept_invite,
    add_person,
    invite_person,
)
from orchestrator.store.access.people import credentials_of
from orchestrator.store.database.engine import Store
from tests.dashboard.rig import RunningFlower
from tests.people import ADMIN, PASSWORD, add_admin, logged_in

COOKIE = "meshline-session"


@dataclass(kw_only=True)
class Somebody:
    """A browser: it keeps cookies, says where a form comes from, and sends what the form has."""

    url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """What a page answers; redirects are not followed."""
        return self.client.get(f"{self.url}{path}", headers={"Accept": "text/html", **headers})

    def post(self, path: str, given: dict[str, str], **headers: str) -> httpx.Response:
        """What the form of a page of ours answers."""
        return self.client.post(
            f"{self.url}{path}",
            data={"_xsrf": self.xsrf(), **given},
            headers={"Accept": "text/html", "Origin": self.url, **headers},
        )

    def seen_on(self, path: str) -> str:
        """The digest that every form of a page has, of what was seen there."""
        found = set(re.findall(r'name="seen" value="(\w+)"', self.get(path).text))
        assert len(found) == 1
        return str(found.pop())

    def xsrf(self) -> str:
        """The token of the forms."""
        page = self.get("/login" if self.session is None else "/logout").text
        found = re.search(r'name="_xsrf" value="([^"]+)"', page)
        return found[1] if found else ""

    def log_in(self, mail: str, password: str = PASSWORD, back: str = "/logout") -> httpx.Response:
        """What the form of the login answers."""
        return self.post("/login", {"mail": mail, "password": password, "next": back})

    def come_in(self, store: Store, mail: str) -> None:
        """Hold a session as the login makes them, without a password, which takes long."""
        with store.write() as tx:
            known = credentials_of(tx, mail)
            assert known is not None
            self.session = begin_session(tx, known, way="page").token

    @property
    def session(self) -> str | None:
        """The token of the session that it holds."""
        return self.client.cookies.get(COOKIE)

    @session.setter
    def session(self, token: str) -> None:
        self.client.cookies.set(COOKIE, token, domain="127.0.0.1", path="/")


@contextmanager
def somebody(flower: RunningFlower) -> Iterator[Somebody]:
    """A browser that holds nothing."""
    with httpx.Client(timeout=30) as client:
        yield Somebody(url=flower.url, client=client)


def add_people(store: Store, **names: str) -> None:
    """An admin, and operators for every client, by the beginning of their mail addresses."""
    admin = add_admin(store)
    accept_invite(store, invite_person(store, ADMIN, actor=admin), password=PASSWORD)
    for mail, name in names.items():
        add_operator(store, f"{mail}@acme.example", name)


def add_operator(store: Store, mail: str, name: str, client: str = EVERY_CLIENT) -> None:
    """Somebody who may handle what is a client's, with a password."""
    admin = logged_in(store, ADMIN)
    role = RoleChange(client=client, role=Role.OPERATOR)
    add_person(store, mail, name=name, roles=[role], actor=admin)
    accept_invite(store, invite_person(store, mail, actor=admin), password=PASSWORD)

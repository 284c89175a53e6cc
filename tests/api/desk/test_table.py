"""The table of routes, the document that is made of it, and the table of acts say the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.routing import Route as StarletteRoute

from orchestrator.api.app import build_app
from orchestrator.api.desk.routes import Route
from orchestrator.api.desk.table import OPEN, ROUTES
from orchestrator.domain.acts import ACTS
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor


def addresses(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }


@pytest.fixture
def document(door: RunningDoor) -> dict[str, Any]:
    answer = door.ask("GET", "/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_of_the_door_is_in_the_document(document: dict[str, Any], leads: Store) -> None:
    served = {
        (method, re.sub(r":[a-z]+\}", "}", route.path))
        for route in build_app(leads, Settings()).routes
        if isinstance(route, StarletteRoute)
        for method in (route.methods or ())
        if method != "HEAD"
    }

    assert served == addresses(document)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_is_an_act_of_the_table_or_open_to_everybody(route: Route) -> None:
    if route.act is None:
        # A source proves itself by what it signs.
        assert (route in OPEN and route.method == "GET") or "hook" in route.name
    else:
        assert route.act in ACTS
    if route.method == "GET":  # looking never changes anything
        assert route.act is None or route.act.value in ("view", "manage_keys")


def test_names_of_routes_are_their_own() -> None:
    names = [route.name for route in ROUTES]

    assert len(names) == len(set(names))


def test_an_address_says_which_methods_it_takes(door: RunningDoor) -> None:
    answer = door.ask("DELETE", "/v1/people")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"

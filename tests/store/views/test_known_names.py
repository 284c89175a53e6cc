"""A filter that names nobody known is refused, with the name that was probably meant."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from orchestrator.domain.errors import Refused
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import workflow_versions
from orchestrator.store.quarantine.incident_moves import move_incident
from tests.cli.desk import validate_leads
from tests.leads import TEXT, accept_leads, publish_leads


def check(store: Store, **filters: Any) -> None:
    with store.read() as tx:
        check_filters(tx, **filters)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"client": "acmee"}, "client: there is no client 'acmee'; write `acme`"),
        ({"workflow": "leeds"}, "workflow: there is no workflow 'leeds'; write `leads`"),
        (
            {"client": "acme", "workflow": "orders"},
            "workflow: there is no workflow 'orders' of client 'acme'; use one of `leads`",
        ),
        (
            {"client": "zenith", "workflow": "leads"},
            "client: there is no client 'zenith'; use one of `acme`, `bolt`",
        ),
        (
            {"owner": "triage@acme.exmple"},
            "owner: there is no owner 'triage@acme.exmple'; write `triage@acme.example`",
        ),
        ({"client": "ACME"}, "client: there is no client 'ACME'; write `acme`"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(
    store: Store, filters: dict[str, str], said: str
) -> None:
    publish_leads(store)
    publish_leads(store, TEXT.replace("client: acme", "client: bolt").replace(" leads", " calls"))

    with pytest.raises(Refused) as refused:
        check(store, **filters)

    assert str(refused.value) == said


def test_a_known_name_with_nothing_to_show_is_no_mistake(store: Store) -> None:
    publish_leads(store)

    check(store)
    check(store, client="acme")
    check(store, workflow="leads")
    check(store, client="acme", workflow="leads")
    for owner in ("support-ops@acme.example", "triage@acme.example", "on-call@agency.example"):
        check(store, owner=owner)
    for part in ("acme.example", "%@acme.example", "support-ops@acme"):
        with pytest.raises(Refused, match="there is no owner"):
            check(store, owner=part)


def test_an_old_versions_name_and_whom_an_incident_was_given_to_are_known(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 1, tier="gold")
    validate_leads(store)
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ASSIGN, owner="dana@acme.example", actor="cli:dana")
        tx.execute(update(workflow_versions).values(live=False))

    check(store, client="acme", workflow="leads", owner="dana@acme.example")
    check(store, owner="support-ops@acme.example")


def test_a_store_without_a_workflow_says_so(store: Store) -> None:
    for filters in ({"client": "acme"}, {"workflow": "leads"}):
        with pytest.raises(Refused, match="no workflow is published yet"):
            check(store, **filters)

"""An approval is also of the connector definitions that the version uses."""

from __future__ import annotations

from orchestrator.cli.doctor.change_checks import look_at_definitions
from orchestrator.domain.access.actor import login
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.publish_workflow import Published, publish_workflow
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.workflows import connectors_of, live_workflow
from tests.leads import lead_workflow, publish_leads
from tests.store.changes.governed import author, change, decide, govern, live_version, version

ONE, OTHER = "1" * 64, "2" * 64


def test_an_approval_is_of_the_definitions_that_the_version_uses_and_the_version_keeps_them(
    store: Store,
) -> None:
    govern(store)
    token = _proposed(store, fake=ONE, unused=OTHER)
    digest = change(store, token).digest

    decide(store, token)

    assert _approved(store) == {"fake": ONE}
    (shown,) = change(store, token).connectors
    assert (shown.connector, shown.digest, shown.before) == ("fake", ONE, None)
    assert change(store, _proposed(store, 30, fake=ONE)).digest != digest


def test_the_same_file_with_another_definition_is_another_change(store: Store) -> None:
    govern(store)
    decide(store, _proposed(store, fake=ONE))
    assert _publish(store, fake=ONE).unchanged

    token = _proposed(store, fake=OTHER)

    (shown,) = change(store, token).connectors
    assert (shown.digest, shown.before) == (OTHER, ONE)
    assert _proposed(store, fake=OTHER) == token
    third = _proposed(store, fake="3" * 64)
    assert third != token
    decide(store, token)
    assert (live_version(store), _approved(store)) == (3, {"fake": OTHER})
    assert change(store, third).state == "stale"


def test_whoever_knows_of_no_definitions_changes_none_of_them(store: Store) -> None:
    govern(store)
    decide(store, _proposed(store, fake=ONE))
    assert publish_workflow(store, lead_workflow(version()), actor=author(store)).unchanged

    done = publish_amendment(store, "acme", "leads", RECIPE, actor=author(store))

    assert done.change is not None
    decide(store, done.change)
    assert (live_version(store), _approved(store)) == (3, {"fake": ONE})


def test_without_an_approver_no_definition_is_approved(store: Store) -> None:
    publish_leads(store)
    publish_workflow(store, lead_workflow(version()), actor=login("cli:root"), connectors=_D)

    assert (live_version(store), _approved(store)) == (2, {})


def test_the_doctor_names_the_definitions_of_its_machine_that_were_not_approved(
    store: Store,
) -> None:
    govern(store)
    decide(store, _proposed(store, fake=ONE))

    assert list(look_at_definitions(store, {"fake": ONE})) == []
    (finding,) = look_at_definitions(store, {"fake": OTHER})
    assert finding.check == "acme/leads"
    assert "of fake that was approved is 111111111111; here it is 222222222222" in finding.found
    (finding,) = look_at_definitions(store, {})
    assert "here there is none" in finding.found


_D = {"fake": ONE}
RECIPE = recipe_of([{"rename": "customer_tier", "to": "tier"}])


def _proposed(store: Store, minutes: int = 20, /, **connectors: str) -> str:
    done = _publish(store, minutes, **connectors)
    assert done.change is not None
    return done.change


def _publish(store: Store, minutes: int = 20, /, **connectors: str) -> Published:
    return publish_workflow(
        store, lead_workflow(version(minutes)), actor=author(store), connectors=connectors
    )


def _approved(store: Store) -> dict[str, str]:
    with store.read() as tx:
        live = live_workflow(tx, "acme", "leads")
        assert live is not None
        return connectors_of(tx, live.id)

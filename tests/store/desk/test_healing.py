"""An incident's events are amended as they were previewed, by a job where they are many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import ChangedSinceSeen, NotFound, Refused
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.recipes.text import recipe_of_text
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.jobs import heal_incident
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.operations.jobs.heal_incident import amend_incident, plan_incident, takes_job
from orchestrator.operations.jobs.start_on_events import start_amend_job
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.repair import preview_for_incident as previewing
from orchestrator.operations.repair.amend import Amendments, mend_events
from orchestrator.operations.repair.preview_for_incident import (
    WantedRecipe,
    preview_for_incident,
    saved_recipe_of,
)
from orchestrator.operations.repair.saved_recipes import saved_recipe
from orchestrator.presenting.recipe_previews import page_of_preview
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.plans import list_plans
from orchestrator.store.views.incidents.list import IncidentWorkflow
from orchestrator.store.views.jobs import list_jobs
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import CATALOG, TEXT, lead_workflow, publish_leads, renamed_lead

ADA, BEN = login("cli:ada"), login("cli:ben")
RENAME = WantedRecipe(incident=1, recipe=recipe_of([{"rename": "customer_tier", "to": "tier"}]))


def quarantine(store: Store, count: int) -> None:
    publish_leads(store)
    accept_batch(store, [renamed_lead(number) for number in range(count)], actor="key:test")
    validate_leads(store)


def seen(store: Store) -> tuple[WantedRecipe, str]:
    """What Ada saw previewed, and its digest."""
    found = preview_for_incident(store, RENAME, actor=ADA)
    return replace(RENAME, until=found.until), found.digest


def test_many_events_are_amended_by_a_job_and_planned_when_it_has_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine(store, 3)
    monkeypatch.setattr(heal_incident, "MOST_AT_ONCE", 2)
    wanted, digest = seen(store)

    healed = amend_incident(store, wanted, actor=ADA, seen=digest, plan_by=CATALOG)
    assert (healed.amended, healed.plan) == (0, None)
    assert carry_out_next_job(store, keeper="host:1", lease_seconds=60) == healed.job

    assert plan_incident(store, 1, actor=ADA, catalog=CATALOG).events == 3


def test_a_job_is_not_started_on_other_ground_than_was_seen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine(store, 3)
    monkeypatch.setattr(heal_incident, "MOST_AT_ONCE", 2)
    wanted, digest = seen(store)

    def overtaken(*given: Any, **named: Any) -> int:
        (first, *_) = preview_for_incident(store, wanted, actor=BEN).preview.events
        mend_events(store, Selection(ids=(first.id,)), RENAME.recipe, actor=BEN)
        return start_amend_job(*given, **named)

    monkeypatch.setattr(heal_incident, "start_amend_job", overtaken)
    with pytest.raises(ChangedSinceSeen, match="is not what you saw: cli:ben amended"):
        amend_incident(store, wanted, actor=ADA, seen=digest)
    with store.read() as tx:
        assert list_jobs(tx, limit=1) == []


def test_what_others_amended_does_not_count_for_who_amends_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine(store, 3)
    monkeypatch.setattr(heal_incident, "MOST_AT_ONCE", 2)
    (first, *_) = preview_for_incident(store, RENAME, actor=BEN).preview.events
    mend_events(store, Selection(ids=(first.id,)), RENAME.recipe, actor=BEN)
    found = preview_for_incident(store, RENAME, actor=ADA)
    wanted = replace(RENAME, until=found.until)

    healed = amend_incident(store, wanted, actor=ADA, seen=found.digest)

    assert page_of_preview(found.preview, after=0, limit=9).total == 3
    assert not takes_job(found.preview), "as the page says"
    assert (healed.amended, healed.job) == (2, None)


def test_what_somebody_published_since_is_told(store: Store) -> None:
    quarantine(store, 1)
    wanted, digest = seen(store)
    publish_workflow(store, lead_workflow(TEXT.replace("15m", "20m")), actor=BEN)

    with pytest.raises(ChangedSinceSeen, match="cli:ben published version 2 at"):
        amend_incident(store, wanted, actor=ADA, seen=digest)


def test_nothing_is_amended_by_another_recipe_than_was_previewed(store: Store) -> None:
    quarantine(store, 1)
    wanted, digest = seen(store)
    other = replace(wanted, recipe=recipe_of_text("--move customer_tier=tier"))

    with pytest.raises(ChangedSinceSeen, match="is not what you saw"):
        amend_incident(store, other, actor=ADA, seen=digest)


def test_who_is_overtaken_while_applying_is_told_by_whom_and_has_no_plan(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine(store, 3)
    wanted, digest = seen(store)

    def overtaken(*given: Any, **named: Any) -> Amendments:
        (first, *_) = preview_for_incident(store, wanted, actor=BEN).preview.events
        mend_events(store, Selection(ids=(first.id,)), RENAME.recipe, actor=BEN)
        return mend_events(*given, **named)

    monkeypatch.setattr(heal_incident, "mend_events", overtaken)
    with pytest.raises(ChangedSinceSeen, match=r"cli:ben amended .* you amended 2 of the 3 events"):
        amend_incident(store, wanted, actor=ADA, seen=digest, plan_by=CATALOG)
    with store.read() as tx:
        assert list_plans(tx, limit=1) == []


def test_what_lets_nothing_pass_is_refused(store: Store) -> None:
    quarantine(store, 1)
    nothing = replace(RENAME, recipe=recipe_of_text("--trim email"))
    found = preview_for_incident(store, nothing, actor=ADA)

    with pytest.raises(Refused, match="lets no further event pass"):
        amend_incident(store, replace(nothing, until=found.until), actor=ADA, seen=found.digest)


def test_a_page_previews_so_many_events_and_says_what_takes_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine(store, 3)
    monkeypatch.setattr(previewing, "MOST_PREVIEWED", 2)

    with pytest.raises(Refused, match="quarantine recipe --incident 1"):
        preview_for_incident(store, RENAME, actor=ADA)


def test_a_saved_recipe_is_for_its_own_workflow(store: Store) -> None:
    quarantine(store, 1)
    wanted, digest = seen(store)
    amend_incident(store, wanted, actor=ADA, seen=digest)

    with store.read() as tx:
        mine = IncidentWorkflow(client="acme", workflow="leads")
        assert saved_recipe_of(tx, 1, mine).steps == RENAME.recipe.steps
        with pytest.raises(NotFound, match="bolt/leads has no recipe 1"):
            saved_recipe_of(tx, 1, IncidentWorkflow(client="bolt", workflow="leads"))
    with pytest.raises(NotFound, match="there is no incident 99"):
        preview_for_incident(store, replace(RENAME, incident=99), actor=ADA)


def test_a_saved_recipe_of_a_client_that_one_may_not_see_is_not_there(store: Store) -> None:
    quarantine(store, 1)
    wanted, digest = seen(store)
    amend_incident(store, wanted, actor=ADA, seen=digest)

    assert saved_recipe(store, 1, clients=frozenset({"acme"})).steps == RENAME.recipe.steps
    with pytest.raises(NotFound, match="there is no recipe 1"):
        saved_recipe(store, 1, clients=frozenset({"globex"}))

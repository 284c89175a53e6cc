"""Amend the events of an incident as a person saw it previewed, and plan their replay."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import ChangedSinceSeen
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.operations.access.allow import allow
from orchestrator.operations.check_filters import no_incident
from orchestrator.operations.jobs.start_on_events import start_amend_job
from orchestrator.operations.repair.amend import Amendments, mend_events
from orchestrator.operations.repair.preview_for_incident import (
    IncidentPreview,
    WantedRecipe,
    compare_previewed,
    preview_as_seen,
    refuse_nothing,
    told_change,
)
from orchestrator.operations.repair.preview_recipe import Preview
from orchestrator.operations.replay.plan import ReplayPlan, plan_replay
from orchestrator.store.database.engine import Store
from orchestrator.store.views.incidents.list import workflow_of
from orchestrator.store.views.quarantine.selection import Selection

MOST_AT_ONCE = 5_000
"""Events that are amended while a person waits; where there are more, a keeper does it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Healed:
    """What was done with an incident."""

    amended: int = 0  # events, by now
    job: int | None = None  # that amends them; None: it is done
    plan: str | None = None  # the token of the plan that replays them


def takes_job(preview: Preview) -> bool:
    """Whether a keeper amends what a preview shows: the events are more than a person waits for."""
    return len(preview.events) > MOST_AT_ONCE


def amend_incident(
    store: Store, wanted: WantedRecipe, *, actor: Actor, seen: str, plan_by: Catalog | None = None
) -> Healed:
    """Amend what a preview with the digest `seen` lets pass; with `plan_by` plan the replay too.

    Many events are amended by a job, and then nothing is planned. Raises ChangedSinceSeen, also
    where others amended some of them meanwhile, and then nothing is planned; NotFound, Forbidden;
    Refused where nothing would pass.
    """
    if plan_by is not None:
        permit_replay(store, wanted.incident, actor)
    found = preview_as_seen(store, wanted, actor=actor, seen=seen)
    refuse_nothing(found)
    selection = Selection(incident=wanted.incident, until=found.until)
    if takes_job(found.preview):
        job = start_amend_job(
            store,
            selection,
            wanted.recipe,
            actor=actor,
            again=wanted.again,
            from_original=wanted.from_original,
            compare=lambda tx: compare_previewed(tx, wanted.incident, found),
        )
        return Healed(job=job)
    done = mend_events(
        store,
        selection,
        wanted.recipe,
        actor=actor,
        again=wanted.again,
        from_original=wanted.from_original,
        seen=found.amended,
    )
    _refuse_fewer(store, wanted.incident, found, done)
    if plan_by is None:
        return Healed(amended=len(done.ids))
    plan = plan_incident(store, wanted.incident, actor=actor, catalog=plan_by)
    return Healed(amended=len(done.ids), plan=plan.token)


def _refuse_fewer(store: Store, incident: int, found: IncidentPreview, done: Amendments) -> None:
    """Raises ChangedSinceSeen where less was amended than was seen: others came between."""
    mine, passing = len(done.ids), found.preview.passing
    if mine == passing:
        return
    others = next((one.act for one in done.changed if one.act), None)
    with store.read() as tx:
        told = told_change(tx, incident, found, others)
    raise ChangedSinceSeen(
        f"incident {incident} changed while the recipe was applied: {told}; you amended {mine:,} of"
        f" the {passing:,} events, and no replay is planned",
        fix="look at it again, and decide then",
    )


def plan_incident(store: Store, incident: int, *, actor: Actor, catalog: Catalog) -> ReplayPlan:
    """Plan the replay of all events of an incident that are in quarantine; nothing is sent yet.

    Raises NotFound, Forbidden; Refused where none of them would pass.
    """
    permit_replay(store, incident, actor)
    return plan_replay(store, Selection(incident=incident), catalog=catalog, actor=actor)


def permit_replay(store: Store, incident: int, actor: Actor) -> None:
    """Raises NotFound, Forbidden where the actor may not replay events of an incident."""
    with store.read() as tx:
        whose = workflow_of(tx, incident)
        if whose is None:
            raise no_incident(incident)
        allow(tx, actor, Act.REPLAY, [whose.client], unseen=no_incident(incident))

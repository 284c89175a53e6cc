"""What a recipe would do to the events of one incident, as somebody is to agree to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import ChangedSinceSeen, NotFound, Refused
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.operations.access.allow import allow, scope_of
from orchestrator.operations.check_filters import no_incident
from orchestrator.operations.check_personal import check_recipe
from orchestrator.operations.repair.preview_recipe import Preview, preview_recipe
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.recipes import find_recipe
from orchestrator.store.quarantine.amendments import digests_of_amended
from orchestrator.store.quarantine.workflows import live_workflow, publication
from orchestrator.store.views.events.last_acts import Act as LastAct
from orchestrator.store.views.events.last_acts import last_act_of_incident
from orchestrator.store.views.incidents.list import IncidentWorkflow, workflow_of
from orchestrator.store.views.quarantine.list import count_quarantine
from orchestrator.store.views.quarantine.selection import CHUNK, Selection, selected
from orchestrator.store.views.values import iso_time, now_of

MOST_PREVIEWED = 20_000  # events: a person waits for it


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedRecipe:
    """A recipe for an incident, and how it is to work."""

    incident: int
    recipe: Recipe
    until: int | None = None  # events in quarantine since before then, in milliseconds; None: now
    again: bool = False  # also what somebody else amended
    from_original: bool = False  # on payloads as they came


@dataclass(frozen=True, kw_only=True)
class IncidentPreview:
    """What a recipe would do to an incident's events, and by what that is known again."""

    preview: Preview
    workflow: IncidentWorkflow
    until: int  # events that came later are in no preview and are not amended
    live: int | None  # the id of the version that the events were tried under
    digest: str  # of the recipe, that version, the events and what becomes of each
    amended: dict[str, str] = field(repr=False)  # digests of amended payloads, by event id


def preview_for_incident(store: Store, wanted: WantedRecipe, *, actor: Actor) -> IncidentPreview:
    """Try a recipe on every event of an incident that is in quarantine; nothing is changed.

    Raises NotFound, Forbidden; Refused for a recipe that would tell what the actor may not see.
    """
    with store.read() as tx:
        whose = permitted_workflow(tx, wanted.incident, actor)
        sees = scope_of(tx, actor, Act.SEE_PERSONAL_DATA)
        about = Selection(client=whose.client, workflow=whose.workflow)
        check_recipe(tx, wanted.recipe, sees=sees, about=about)
        until = now_of(tx) if wanted.until is None else wanted.until
        live = live_workflow(tx, whose.client, whose.workflow)
        chosen = Selection(incident=wanted.incident, until=until)
        _refuse_too_many(tx, chosen)
    amended: dict[str, str] = {}
    preview = preview_recipe(
        store,
        chosen,
        wanted.recipe,
        actor=actor,
        again=wanted.again,
        from_original=wanted.from_original,
        seen=amended,
    )
    seen = [
        wanted.recipe.describe(),
        [wanted.again, wanted.from_original, until, live.id if live else None],
        [
            [one.id, one.passes, one.already, amended.get(one.id)]
            for one in sorted(preview.events, key=lambda tried: tried.id)
        ],
        sorted(one.id for one in preview.passed_over),
    ]
    return IncidentPreview(
        preview=preview,
        workflow=whose,
        until=until,
        live=live.id if live else None,
        digest=strict_json.digest(seen),
        amended=amended,
    )


def preview_as_seen(
    store: Store, wanted: WantedRecipe, *, actor: Actor, seen: str
) -> IncidentPreview:
    """The same, where it is what somebody saw before: `seen` is its digest.

    Raises ChangedSinceSeen, which says who did what since; and as `preview_for_incident`.
    """
    found = preview_for_incident(store, wanted, actor=actor)
    if found.digest == seen:
        return found
    with store.read() as tx:
        raise _changed(tx, wanted.incident, found)


def compare_previewed(tx: Tx, incident: int, found: IncidentPreview) -> None:
    """Raises ChangedSinceSeen where the events of an incident are not as they were previewed.

    For an act that was compared by its digest before: this looks in the act's own transaction.
    """
    whose, preview = found.workflow, found.preview
    live = live_workflow(tx, whose.client, whose.workflow)
    ids = selected(tx, Selection(incident=incident, until=found.until))
    previewed = {one.id for one in preview.events} | {one.id for one in preview.passed_over}
    amended: dict[str, str] = {}
    for at in range(0, len(ids), CHUNK):
        amended |= digests_of_amended(tx, ids[at : at + CHUNK])
    same = (live.id if live else None, set(ids), amended)
    if same != (found.live, previewed, found.amended):
        raise _changed(tx, incident, found)


def _changed(tx: Tx, incident: int, found: IncidentPreview) -> ChangedSinceSeen:
    told = told_change(tx, incident, found)
    return ChangedSinceSeen(
        f"what the recipe would do to incident {incident} is not what you saw: {told}",
        fix="preview it again, and decide then",
    )


def saved_recipe_of(tx: Tx, number: int, whose: IncidentWorkflow) -> Recipe:
    """A saved recipe of a workflow. Raises NotFound, also for one of another workflow."""
    found = find_recipe(tx, number)
    if found is None or (found.client, found.workflow) != (whose.client, whose.workflow):
        raise NotFound(
            f"{whose.client}/{whose.workflow} has no recipe {number}",
            field="saved",
            fix="see `meshline quarantine recipes`",
        )
    return recipe_of(found.steps, note=found.note)


def permitted_workflow(tx: Tx, incident: int, actor: Actor) -> IncidentWorkflow:
    """Whose an incident is, to somebody who may amend its events. Raises NotFound, Forbidden."""
    found = workflow_of(tx, incident)
    if found is None:
        raise no_incident(incident)
    allow(tx, actor, Act.AMEND, [found.client], unseen=no_incident(incident))
    return found


def refuse_nothing(found: IncidentPreview) -> None:
    """Raises Refused where a recipe lets no event pass."""
    if not found.preview.passing:
        raise Refused(
            "the recipe lets no further event pass",
            field="recipe",
            fix="preview another, or plan the replay of what is amended",
        )


def told_change(
    tx: Tx, incident: int, found: IncidentPreview, others: LastAct | None = None
) -> str:
    """Who did what to its events, or to its workflow, since the preview; `others`, if known."""
    if act := others or last_act_of_incident(tx, incident, since=found.until):
        return f"{act.by} {act.done} events of it at {act.at}"
    whose = found.workflow
    if live := live_workflow(tx, whose.client, whose.workflow):
        told = publication(tx, live.id)
        if told.published_at >= found.until:
            at = iso_time(told.published_at)
            return f"{told.published_by} published version {live.version} at {at}"
    return "some of its events are elsewhere now"


def _refuse_too_many(tx: Tx, chosen: Selection) -> None:
    if (count := count_quarantine(tx, chosen)) > MOST_PREVIEWED:
        raise Refused(
            f"it has {count:,} events in quarantine, and a page previews at most"
            f" {MOST_PREVIEWED:,}",
            field="recipe",
            fix=f"use `meshline quarantine recipe --incident {chosen.incident}`, which takes any"
            " number",
        )

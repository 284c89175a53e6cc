"""Acts that heal an incident: try a recipe, apply it, plan the replay, run the plan."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from tornado.web import authenticated

from connectors.registry import catalog, load_connectors
from orchestrator.dashboard.actions.act import ActPage, answer_to
from orchestrator.dashboard.reader import Lane
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import MeshlineError, Refused
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.recipes.text import recipe_of_text
from orchestrator.domain.whys import optional_why
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.operations.jobs.heal_incident import (
    Healed,
    amend_incident,
    plan_incident,
    takes_job,
)
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.repair.preview_for_incident import (
    IncidentPreview,
    WantedRecipe,
    permitted_workflow,
    preview_for_incident,
    saved_recipe_of,
)
from orchestrator.operations.replay.seen import compare_plan
from orchestrator.presenting.recipe_previews import page_of_preview
from orchestrator.store.database.engine import Store

EVENTS_SHOWN = 50
LONGEST_RECIPE = 20_000  # characters
_HIGHEST_RATE = 1_000_000.0


class _RecipeAct(ActPage):
    """What is done with a recipe that a form has."""

    tab = "incidents"
    act = Act.AMEND

    def wanted(self, store: Store, number: int) -> WantedRecipe:
        """What the form says. Raises Refused, NotFound, Forbidden."""
        until = self.number("until")
        return WantedRecipe(
            incident=number,
            recipe=self._recipe(store, number),
            until=until,
            again=self.given("again") is not None,
            from_original=self.given("original") is not None,
        )

    def _recipe(self, store: Store, number: int) -> Recipe:
        note = optional_why(self.given("why"))
        saved = self.number("saved")
        if saved is None:
            return recipe_of_text(self.given("recipe", longest=LONGEST_RECIPE) or "", note=note)
        with store.read() as tx:
            found = saved_recipe_of(tx, saved, permitted_workflow(tx, number, self.actor))
        return replace(found, note=note or found.note)


class PreviewRecipePage(_RecipeAct):
    """What a recipe would do: a POST, for it has payload values; it changes nothing."""

    @authenticated
    async def post(self, incident: str) -> None:
        """Answer POST /incidents/ID/recipe/preview."""
        number, after = int(incident), 0
        try:
            after = self.number("after") or 0
            found = await self._reader.run(lambda store: self._look(store, number), lane=Lane.ACT)
        except Refused as error:
            self._again(error, incident)
        except MeshlineError as error:
            self.away(error)
        else:
            shown = page_of_preview(found.preview, after=after, limit=EVENTS_SHOWN)
            by_job = takes_job(found.preview)
            self._form(incident, found=found, shown=shown, by_job=by_job, wrong=None)

    def _look(self, store: Store, number: int) -> IncidentPreview:
        found = preview_for_incident(store, self.wanted(store, number), actor=self.actor)
        with store.read() as tx:
            return self.veil(tx, found)

    def _again(self, error: Refused, incident: str) -> None:
        """The form with what is wrong in it; what may not be seen or done is a page of its own."""
        if answer_to(error)[0] is not HTTPStatus.BAD_REQUEST:
            self.refuse(error, back=self.reverse_url("incident", incident))
            return
        self.set_status(400)
        self._form(incident, found=None, shown=None, wrong=str(error))

    def _form(self, incident: str, **found: object) -> None:
        names = ("recipe", "saved", "why", "again", "original")
        given = {one: str(self.get_body_argument(one, ""))[:LONGEST_RECIPE] for one in names}
        self.page(
            "recipe_preview.html",
            incident=int(incident),
            given=given,
            **found,
        )


class ApplyRecipePage(_RecipeAct):
    """Amend what the preview lets pass, and plan the replay where the button says so."""

    @authenticated
    async def post(self, incident: str) -> None:
        """Answer POST /incidents/ID/recipe/apply."""
        back, number = self.reverse_url("incident", incident), int(incident)
        actor, catalog_file = self.actor, self.application.connectors

        def heal(store: Store) -> Healed:
            seen = self.given("seen")
            if seen is None:
                raise Refused("it was not previewed", field="recipe", fix="preview it first")
            plans = self.given("then") == "plan"
            known = catalog(load_connectors(catalog_file)) if plans else None
            wanted = self.wanted(store, number)
            return amend_incident(store, wanted, actor=actor, seen=seen, plan_by=known)

        await self.do(heal, back=back, to=lambda healed: self._after(healed) or back)

    def _after(self, healed: Healed) -> str | None:
        if healed.plan is not None:
            return str(self.reverse_url("plan", healed.plan))
        return None if healed.job is None else str(self.reverse_url("job", str(healed.job)))


class PlanReplayPage(ActPage):
    """Plan the replay of an incident's events; nothing is sent yet."""

    tab = "incidents"
    act = Act.REPLAY

    @authenticated
    async def post(self, incident: str) -> None:
        """Answer POST /incidents/ID/plan."""
        actor, connectors, number = self.actor, self.application.connectors, int(incident)

        def plan(store: Store) -> str:
            known: Catalog = catalog(load_connectors(connectors))
            return plan_incident(store, number, actor=actor, catalog=known).token

        back = self.reverse_url("incident", incident)
        await self.do(plan, back=back, to=lambda token: self.reverse_url("plan", token))


class RunPlanPage(ActPage):
    """Let a keeper run a plan."""

    tab = "jobs"
    act = Act.RUN_PLAN

    @authenticated
    async def post(self, token: str) -> None:
        """Answer POST /plans/TOKEN/run."""
        actor = self.actor

        def start(store: Store) -> int:
            seen = self.given("seen")
            return start_plan_job(
                store,
                token,
                actor=actor,
                send_again=self.given("again") is not None,
                rate=self._rate(),
                why=self.given("why"),
                compare=lambda tx: compare_plan(tx, token, seen) if seen else None,
            )

        back = self.reverse_url("plan", token)
        await self.do(start, back=back, to=lambda job: self.reverse_url("job", str(job)))

    def _rate(self) -> float | None:
        text = self.given("rate")
        if text is None:
            return None
        try:
            rate = float(text)
        except ValueError:
            rate = 0.0
        if not 0.1 <= rate <= _HIGHEST_RATE:
            raise Refused(
                f"{text!r} is not a rate", field="rate", fix="write events in a second, such as 5"
            )
        return rate

"""`meshline quarantine recipe`: try a fix on a whole group, apply it, publish it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.jobs import Background, start_job
from orchestrator.cli.quarantine.saved_recipes import recipes
from orchestrator.cli.terminal.left_alone import Again, fail_where_left, left_alone, tell_untouched
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, OptionalWhy, number
from orchestrator.cli.terminal.personal import clients_seen, shown_here
from orchestrator.cli.terminal.progress import counting
from orchestrator.cli.terminal.screen import note, put, put_json, put_line
from orchestrator.cli.terminal.selecting import Filters, selects
from orchestrator.cli.terminal.usage import MissingOption, as_usage
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.errors import Refused
from orchestrator.presenting.recipes import told_of_step

if TYPE_CHECKING:
    from orchestrator.domain.recipes.acting import PayloadChange
    from orchestrator.domain.recipes.recipe import Recipe
    from orchestrator.operations.publish_workflow import Published
    from orchestrator.operations.repair.preview_recipe import Preview
    from orchestrator.operations.repair.try_on_payload import Tried
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.quarantine.selection import Selection

_MOST_TOLD = 5  # events that are shown one by one; --json has them all

Texts = list[str] | None


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command()(recipe)
    app.command()(recipes)


@selects
def recipe(
    *,
    filters: Filters,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="A recipe in YAML or JSON."),
    ] = None,
    saved: Annotated[
        int | None,
        typer.Option(
            "--saved",
            metavar="N",
            parser=number,
            help="A saved recipe; see `quarantine recipes`.",
        ),
    ] = None,
    rename: Annotated[
        Texts, typer.Option("--rename", metavar="OLD=NEW", help="Another name, same object.")
    ] = None,
    move: Annotated[
        Texts, typer.Option("--move", metavar="OLD=NEW", help="Another place; made if need be.")
    ] = None,
    trim: Annotated[
        Texts, typer.Option("--trim", metavar="PATH", help="A text without blanks at its ends.")
    ] = None,
    case: Annotated[
        Texts, typer.Option("--case", metavar="PATH=CASE", help="A text in lower or upper case.")
    ] = None,
    wrap: Annotated[
        Texts, typer.Option("--wrap", metavar="PATH", help="A list of one, or of numbered entries.")
    ] = None,
    split: Annotated[
        Texts, typer.Option("--split", metavar="PATH=BY", help="A text into a list of its parts.")
    ] = None,
    join: Annotated[
        Texts, typer.Option("--join", metavar="PATH=BY", help="A list of texts into one text.")
    ] = None,
    convert: Annotated[
        Texts,
        typer.Option(
            "--convert",
            metavar="PATH=TYPE[:FORM]",
            help="integer, number, string, boolean, date, date-time, array or object. FORM is how"
            " the text is written: number:, or date-time:%d.%m.%Y %H:%M.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="ZONE", help="Of a date-time's clock: Europe/Berlin."),
    ] = None,
    map_: Annotated[
        Texts, typer.Option("--map", metavar="PATH=OLD:NEW", help="Another value for a known one.")
    ] = None,
    assign: Annotated[
        Texts, typer.Option("--set", metavar="PATH=VALUE", help="A default; needs --why.")
    ] = None,
    set_from: Annotated[
        Texts,
        typer.Option("--set-from", metavar="PATH=FIELD", help="A copy, where nothing is yet."),
    ] = None,
    drop_if: Annotated[
        Texts,
        typer.Option("--drop-if", metavar="PATH=VALUE", help="Take a field with this value out."),
    ] = None,
    drop: Annotated[Texts, typer.Option("--drop", metavar="PATH", help="Take a field out.")] = None,
    why: OptionalWhy = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show before and after; change nothing (default).")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Amend those that then pass contract and routes.")
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish the workflow's next version with it as `amend`."),
    ] = False,
    from_original: Annotated[
        bool,
        typer.Option(
            "--from-original", help="Work on the payloads as they came, not as they are amended."
        ),
    ] = False,
    again: Again = False,
    background: Background = False,
    as_json: AsJson = False,
) -> None:
    """Try a fix on every selected event: before and after, and whether it then passes.

    Steps are made in the order of these options, or of the file. A `*` in a path is every entry of
    an array. Nothing is changed without --apply or --publish, and nothing is replayed.
    """
    if preview and (apply or publish):
        raise typer.BadParameter("--preview changes nothing: take --apply and --publish out")
    if background and (publish or not apply):
        raise typer.BadParameter("--background goes with --apply alone")
    if assign and why is None:
        raise MissingOption("--why")  # a default is made up: somebody says why it is right
    options = {
        "renames": rename, "moves": move, "trims": trim, "cases": case, "wraps": wrap,
        "splits": split, "joins": join, "converts": convert, "maps": map_, "sets": assign,
        "copies": set_from, "drop_ifs": drop_if, "drops": drop,
    }  # fmt: skip
    steps = {name: one or [] for name, one in options.items()}
    given = _recipe(file, steps, why, zone=zone, saved=saved)
    with opened_store() as store:
        made = given or _saved(store, saved, why)
        chosen = filters.needed(store)
        _check(store, made, chosen)
        how: dict[str, Any] = {"again": again, "from_original": from_original}
        how["actor"] = actor(store)
        if background:
            from orchestrator.operations.jobs.start_on_events import start_amend_job

            start_job(
                store,
                lambda: start_amend_job(store, chosen, made, **how),
                ids=bool(chosen.ids),
                as_json=as_json,
            )
            return
        done = _do(store, chosen, made, how, apply=apply, publish=publish)
        done = shown_here(store, done)
    if as_json:
        put_json(done)
    else:
        _put(done)
    seen = done.preview
    fail_where_left(seen.skipped, seen.changed, seen.passed_over, _refused(seen))


def _recipe(
    file: Path | None,
    options: Mapping[str, Iterable[str]],
    why: str | None,
    *,
    zone: str | None,
    saved: int | None,
) -> Recipe | None:
    """The recipe that was given; None where a saved one is meant."""
    from dataclasses import replace

    from orchestrator.domain.recipes.file import read_recipe, recipe_of
    from orchestrator.domain.recipes.options import steps_of_options

    with as_usage():
        steps = steps_of_options(zone=zone, reason=why, **options)
    if file is not None and steps:
        raise typer.BadParameter("a file and steps were given: put the steps in the file")
    if saved is not None and (file is not None or steps):
        raise typer.BadParameter("a saved recipe and another were given: give one of them")
    if saved is not None:
        return None
    if file is not None:
        found = read_recipe(file)
        return replace(found, note=why or found.note)
    if not steps:
        raise typer.BadParameter("a recipe has no step: give --rename OLD=NEW or --file FILE")
    with as_usage():
        return recipe_of(steps, note=why)


def _saved(store: Store, saved: int | None, why: str | None) -> Recipe:
    from dataclasses import replace

    from orchestrator.operations.repair.saved_recipes import saved_recipe

    found = saved_recipe(store, saved or 0, clients=seen_clients(store))
    return replace(found, note=why or found.note)


def _check(store: Store, recipe: Recipe, chosen: Selection) -> None:
    """Raises Refused for a recipe that would tell what this person may not see."""
    from orchestrator.operations.check_personal import check_recipe

    with store.read() as tx:
        check_recipe(tx, recipe, sees=clients_seen(store, tx), about=chosen)


@dataclass(frozen=True, kw_only=True)
class Done:
    """What the command showed and did."""

    preview: Preview
    applied: list[str] | None  # ids of amended events; None: it was not asked for
    saved: list[int]  # numbers of recipes
    published: Published | None  # None: it was not asked for

    def as_json(self) -> dict[str, object]:
        """The preview as a document, with what was done beside its own keys."""
        done = {"applied": self.applied, "saved": self.saved, "published": self.published}
        return fields_of(self.preview) | done


def _do(
    store: Store,
    selection: Selection,
    made: Recipe,
    how: dict[str, Any],
    *,
    apply: bool,
    publish: bool,
) -> Done:
    from orchestrator.operations.repair.amend import mend_events
    from orchestrator.operations.repair.preview_recipe import preview_recipe
    from orchestrator.operations.repair.publish_amendment import publish_amendment

    seen: dict[str, str] = {}  # what the preview shows is what is amended, or nothing
    with counting(store, selection, "trying") as progress:
        preview = preview_recipe(store, selection, made, **how, seen=seen, progress=progress)
    mended = published = None
    if publish:
        whose = _one_workflow(preview)
    if apply:
        with counting(store, selection, "amending", acts=True) as progress:
            mended = mend_events(store, selection, made, **how, seen=seen, progress=progress)
        preview.changed = mended.changed
        known = {one.id for one in preview.skipped}
        preview.skipped += [one for one in mended.skipped if one.id not in known]
    if publish:
        published = publish_amendment(store, *whose, made, actor=actor(store))
    return Done(
        preview=preview,
        applied=mended.ids if mended else None,
        saved=mended.recipes if mended else [],
        published=published,
    )


def _one_workflow(preview: Preview) -> tuple[str, str]:
    """The client and workflow that get the recipe. Raises Refused unless it heals events of one."""
    if not (preview.passing or preview.already):
        raise Refused(
            "the recipe heals no event", field="publish", fix="look at it without --publish"
        )
    if len(preview.workflows) != 1:
        raise Refused(
            f"the selection has events of {len(preview.workflows)} workflows",
            field="publish",
            fix="give --client and --workflow",
        )
    (one,) = preview.workflows
    return one.client, one.workflow


def _refused(preview: Preview) -> list[Tried]:
    return [one for one in preview.events if not (one.passes or one.already)]


def _put(done: Done) -> None:
    seen = done.preview
    total = seen.passing + seen.already + seen.refused
    for step, count, beyond in zip(seen.steps, seen.places, seen.beyond, strict=True):
        told = f"{told_of_step(step)}: in {count} of {total} events"
        where = f"; in {beyond} of them it changes what did not break the contract"
        put_line(told + where if beyond else told)
    put(f"{seen.passing} would pass contract and routes, {seen.refused} would not")
    if seen.already:
        put(f"unchanged {seen.already}")
    _put_some([one for one in seen.events if one.passes], "passes")
    _put_some(_refused(seen), "refused")
    tell_untouched(seen.passed_over, seen.changed)
    for left in seen.skipped[:_MOST_TOLD]:
        note(left_alone(left))
    if done.applied is not None:
        put(f"amended {len(done.applied)}")
        for number in done.saved:
            put(f"saved as recipe {number}")
        if done.applied:
            note("they stay in quarantine until `meshline quarantine replay`, or with --plan")
            note(
                "was it the wrong one: --from-original tries another on what came,"
                " `meshline quarantine fix --reset` takes it back"
            )
    if seen.not_standing:
        note(
            f"as `amend` it would not mend {seen.not_standing} of these by itself: a step of"
            " `amend` acts only where its own place breaks the contract"
        )
    if (published := done.published) is not None:
        put(_told_published(published))
        note("write the same into the workflow's file, or its next publication takes it out")
    if done.applied is None and done.published is None:
        note(
            "nothing was changed: --apply amends them, --publish puts the recipe into the workflow"
        )


def _told_published(published: Published) -> str:
    if published.state == "live":
        return f"{published.workflow} version {published.version} is live with it as `amend`"
    return f"{published.workflow} with it as `amend` is proposed as change {published.change}"


def _put_some(events: list[Tried], word: str) -> None:
    for one in events[:_MOST_TOLD]:
        where = f" to {', '.join(one.to)}" if one.to else ""
        put_line(f"  {one.id} {word}{where}{': ' + one.detail if one.detail else ''}")
        for each in one.changes:
            put_line(f"    {_change(each)}")
    if len(events) > _MOST_TOLD:
        put(f"  and {len(events) - _MOST_TOLD} more; --json has them all")


def _change(one: PayloadChange) -> str:
    from orchestrator.domain.text.abbreviate import abbreviate

    beyond = " (it did not break the contract)" if one.broke is False else ""
    if one.action == "drop":
        return f"{one.path}: {abbreviate(one.before)} is taken out{beyond}"
    if one.to:
        return f"{one.path} -> {one.to}: {abbreviate(one.after)}{beyond}"
    if one.action in ("set", "join") and one.before is None:  # nothing is there, not even null
        return f"{one.path}: {abbreviate(one.after)} where nothing was{beyond}"
    return f"{one.path}: {abbreviate(one.before)} -> {abbreviate(one.after)}{beyond}"

"""Refuse a question whose answer would tell a personal value to somebody who may not see it."""

from __future__ import annotations

from collections.abc import Container, Sequence

from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.carried import marked_workflows
from orchestrator.store.views.incidents.list import workflow_of
from orchestrator.store.views.quarantine.selection import Selection, by_workflow


def check_words(tx: Tx, words: Sequence[str], *, sees: Container[str], about: Selection) -> None:
    """Raises Refused for words that would be looked for in payloads with personal fields.

    The index of words does not say from which field a word is. `sees` are the clients whose
    personal values the one who asks may see, `about` what they may look at and chose of it.
    """
    if not words:
        return
    if hidden := _hidden(tx, sees, about):
        named, name = hidden[0]
        raise Refused(
            f"words are looked for in whole payloads, and those of {named}/{name} have personal"
            " fields that you may not see",
            field="text",
            fix="leave the words out, or name a client and a workflow without personal fields",
        )


def check_recipe(tx: Tx, recipe: Recipe, *, sees: Container[str], about: Selection) -> None:
    """Raises Refused for steps that compare: how many events they fit tells which values there are.

    So do `map` and `drop` with `if`.
    """
    comparing = [one for one in recipe.steps if one.values is not None or one.condition is not None]
    hidden = _hidden(tx, sees, about) if comparing else []
    if hidden:
        named, name = hidden[0]
        raise Refused(
            f"`{comparing[0].action}` compares values, and payloads of {named}/{name} have personal"
            " fields that you may not see",
            field="recipe",
            fix="name a client and a workflow without personal fields, or ask somebody who sees"
            " them",
        )


def _hidden(tx: Tx, sees: Container[str], about: Selection) -> list[tuple[str, str]]:
    """The workflows that are asked about and have personal fields that are not seen.

    Those of clients that one may not even view are not asked about: nothing of theirs is answered.
    """
    found = {
        (client, name)
        for client, name in marked_workflows(tx)
        if about.client in (None, client)
        and about.workflow in (None, name)
        and (about.clients is None or client in about.clients)
        and client not in sees
    }
    if found and about.ids:
        found &= set(by_workflow(tx, about.ids))
    if found and about.incident is not None:
        whose = workflow_of(tx, about.incident)
        found &= {(whose.client, whose.workflow)} if whose else set()
    return sorted(found)

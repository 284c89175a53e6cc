"""Checks that are taken away on purpose: a machine that does not find each of them proves nothing.

A plant is named by PLANT and lives on the machine's side: the product has no switch for it. Where
a check stands in more than one place, or a state of a change guards the same, the plant takes away
all of it: the line that is left would hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from sqlalchemy import select, update

from orchestrator.domain.access.actor import who
from orchestrator.domain.changes import deciding
from orchestrator.domain.changes.deciding import Asked, Away, Decider, Given
from orchestrator.domain.changes.states import ROLLING, ChangeMove, ChangeState, change_target
from orchestrator.operations import rollback_workflow
from orchestrator.operations.changes import (
    break_glass,
    decide,
    go_live,
    hold,
    keep_time,
    propose,
    required,
)
from orchestrator.store.changes import changes as rows
from orchestrator.store.changes.approvers import decider_of, deciders_of, required_for
from orchestrator.store.changes.authors import Part, add_author
from orchestrator.store.changes.decisions import list_decisions
from orchestrator.store.database.schema import changes, person_roles

Patches = Collection[tuple[Any, str, Any]]
"""What is put in the place of what: of a module its name, and the other."""


def self_approval() -> Patches:
    """Whoever wrote a change may approve it."""

    def no_author(decider: Decider, asked: Asked) -> Asked:
        return replace(asked, authors=asked.authors - {f"person:{decider.mail}"})

    return _deciding(no_author)


def named() -> Patches:
    """Whom the live version names as its approver means nothing."""
    return _deciding(lambda _, asked: replace(asked, named=None))


def proposal_in_anothers_name() -> Patches:
    """A proposal needs no proof of who acts."""
    return [(propose, "check_proven", _nothing)]


def role_in_force() -> Patches:
    """Everybody is an approver."""
    always = Given(at=0, by="cli:root")

    def everybody(tx: Any, client: str, person: int) -> Decider:
        found = honest(tx, client, person)
        return found if found.roles else replace(found, roles=(always,))

    honest = decider_of
    return [*_deciders(everybody), (hold, "allow", _nothing)]


def disabled_person() -> Patches:
    """Whoever is disabled keeps the role."""

    def also_disabled(tx: Any, client: str, person: int) -> Decider:
        table = person_roles.c
        roles = tx.execute(
            select(table.granted_at, table.granted_by).where(
                table.person_id == person,
                table.role == "approver",
                table.client.in_((client, "*")),
            )
        )
        found = tuple(Given(at=row.granted_at, by=row.granted_by) for row in roles)
        return replace(honest(tx, client, person), roles=found)

    honest = decider_of
    return [*_deciders(also_disabled), (hold, "allow", _nothing)]


def role_older_than_proposal() -> Patches:
    """A role counts that was given after the proposal."""

    def whenever(given: Given, asked: Asked) -> bool:
        return who(given.by) not in asked.authors

    return [(deciding, "counts", whenever)]


def role_of_an_authors_giving() -> Patches:
    """A role counts that an author gave."""
    return [(deciding, "counts", lambda given, asked: given.at < asked.proposed_at)]


def invitation() -> Patches:
    """A password counts that an author set."""

    def not_invited(tx: Any, client: str, person: int) -> Decider:
        return replace(honest(tx, client, person), invited=None)

    honest = decider_of
    return _deciders(not_invited)


def delegation() -> Patches:
    """An author may say who decides in the place of somebody else."""

    def stand_in(named: str | None, away: Mapping[str, Away], _asked: Asked) -> str | None:
        return away[named].to if named is not None and named in away else None

    return [(hold, "stand_in_of", stand_in)]


def check_at_going_live() -> Patches:
    """Whether the approval still counts is not asked again when its time comes."""
    return [(go_live, "check_decider", _nothing)]


def seen() -> Patches:
    """An approval covers whatever the change says by now."""
    return [(decide, "check_seen", _nothing)]


def digest() -> Patches:
    """An edit leaves the approval as it is, and nobody compares what was approved."""
    return _edits_keep_approvals(lambda before, edited: before.digest != edited.digest)


def round_() -> Patches:
    """The same for an edit that changes nothing but the time."""
    return _edits_keep_approvals(lambda before, edited: before.digest == edited.digest)


def base() -> Patches:
    """What is upon an older version goes live nevertheless, and is not made stale."""
    return [(go_live, "_check_base", _nothing), (go_live, "lock_others", lambda *_: [])]


def expired() -> Patches:
    """There is no end to the time for a decision."""

    def awaits(tx: Any, change: Any) -> None:
        honest(tx, replace(change, expires_at=2**60))

    honest = decide._check_awaits
    return [(decide, "_check_awaits", awaits)]


def schedule() -> Patches:
    """The keeper does not wait for the time at which a change is to go live."""

    def approved(tx: Any, *, most: int) -> Collection[str]:
        found = select(changes.c.token).where(changes.c.state == ChangeState.APPROVED.value)
        tokens: Collection[str] = tx.execute(found.limit(most)).scalars().all()
        return tokens

    return [(keep_time, "due_changes", approved), (keep_time, "_is_due", lambda *_: True)]


def already_decided() -> Patches:
    """A change may be approved that somebody rejected, sent back or withdrew."""

    def awaits(tx: Any, change: Any) -> None:
        honest(tx, replace(change, state=ChangeState.AWAITING_APPROVAL))

    def target(move: ChangeMove, source: ChangeState) -> ChangeState:
        return ChangeState.APPROVED if move is ChangeMove.APPROVE else moved(move, source)

    honest, moved = decide._check_awaits, change_target
    return [(decide, "_check_awaits", awaits), (rows, "change_target", target)]


def once_required() -> Patches:
    """Where no approver is left, nothing has to be approved."""

    def while_there_are_some(tx: Any, client: str) -> Any:
        return honest(tx, client) if deciders_of(tx, client) else None

    honest = required_for
    return [(required, "required_for", while_there_are_some)]


def steps() -> Patches:
    """Whose recipe is in a change does not matter."""
    return [(propose, "add_authors_of_steps", _nothing)]


def same_words() -> Patches:
    """Of two changes that say the same, each has its own authors."""
    return [(propose, "share_authors", _nothing)]


def editors() -> Patches:
    """Who edits a change is not one of its authors."""

    def only_proposers(tx: Any, change: int, actor: Any, part: Any) -> None:
        if part != Part.EDITED:
            honest(tx, change, actor, part)

    honest = add_author
    return [(propose, "add_author", only_proposers)]


def frozen() -> Patches:
    """What is approved goes live in a freeze."""
    thawed = [(module, "wait_for_thaw", lambda *_: False) for module in (decide, keep_time)]
    return [(go_live, "check_not_frozen", _nothing), *thawed]


def backstop() -> Patches:
    """Everybody may break the glass."""
    return [(break_glass, "_check_backstop", _nothing)]


def owners_by_glass() -> Patches:
    """The glass lets somebody choose who approves from then on."""
    return [(break_glass, "_check_same_owners", _nothing)]


def back_to_glass() -> Patches:
    """A rollback may lead to a version that went live by break-glass."""
    return [(rollback_workflow, "way_of", lambda *_: "approved")]


def promotion() -> Patches:
    """When a rollout has passed, nobody asks again whether its approval still counts."""

    def until_it_rolls(tx: Any, change: Any) -> Any:
        return None if change.state in ROLLING else honest(tx, change)

    honest = go_live.check_approved
    return [(go_live, "check_approved", until_it_rolls)]


def overtaken_rollout() -> Patches:
    """A version is still tried when another one than its base is live."""
    return [(go_live, "abandon_rollout", _nothing), (go_live, "lock_others", lambda *_: [])]


PLANTS: Mapping[str, Callable[[], Patches]] = {
    "self-approval": self_approval,
    "named-approver": named,
    "proposal-in-anothers-name": proposal_in_anothers_name,
    "role-in-force": role_in_force,
    "disabled-person": disabled_person,
    "role-older-than-proposal": role_older_than_proposal,
    "role-of-an-authors-giving": role_of_an_authors_giving,
    "invitation": invitation,
    "delegation": delegation,
    "check-at-going-live": check_at_going_live,
    "seen": seen,
    "digest": digest,
    "round": round_,
    "base": base,
    "expired": expired,
    "schedule": schedule,
    "already-decided": already_decided,
    "unapproved-once-required": once_required,
    "steps": steps,
    "same-words": same_words,
    "editors": editors,
}

EMERGENCIES: Mapping[str, Callable[[], Patches]] = {
    "frozen": frozen,
    "backstop": backstop,
    "owners-by-glass": owners_by_glass,
    "back-to-glass": back_to_glass,
    "promotion": promotion,
    "overtaken-rollout": overtaken_rollout,
}
"""The same, which only a machine of emergencies finds."""

ALL_PLANTS = {**PLANTS, **EMERGENCIES}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """Take a check away meanwhile; None: nothing."""
    with ExitStack() as stack:
        for module, named_, other in ALL_PLANTS[name]() if name else ():
            stack.enter_context(patch.object(module, named_, other))
        yield


def _nothing(*_: object, **__: object) -> None:
    """In the place of a check."""


def _deciding(asks: Callable[[Decider, Asked], Asked]) -> Patches:
    """What a decider is compared with is another thing, in both places."""

    def check(decider: Decider, asked: Asked) -> None:
        honest(decider, asks(decider, asked))

    honest = deciding.check_decider
    return [(module, "check_decider", check) for module in (decide, go_live)]


def _deciders(found: Callable[[Any, str, int], Decider]) -> Patches:
    return [(module, "decider_of", found) for module in (decide, go_live)]


def _edits_keep_approvals(keeps: Callable[[Any, Any], bool]) -> Patches:
    """Some edits of an approved change leave it approved, and its approval is taken for theirs."""
    kept: set[int] = set()

    def edit(tx: Any, change: Any, edited: Any, *, actor: str) -> None:
        edit_honestly(tx, change, edited, actor=actor)
        if change.state is ChangeState.APPROVED and keeps(change, edited):
            state = {"state": ChangeState.APPROVED.value}
            tx.execute(update(changes).where(changes.c.id == change.id).values(state))
            kept.add(change.id)

    def move(tx: Any, change: Any, what: ChangeMove, **more: Any) -> ChangeState:
        if what is ChangeMove.ASK and change.state is ChangeState.APPROVED:
            return ChangeState.APPROVED
        return move_honestly(tx, change, what, **more)

    def approved(tx: Any, change: Any) -> Any:
        if change.id not in kept:
            return check_honestly(tx, change)
        return list_decisions(tx, change.id)[-1]

    edit_honestly, move_honestly = rows.edit_change, rows.move_change
    check_honestly = go_live.check_approved
    return [
        (propose, "edit_change", edit),
        (propose, "move_change", move),
        (go_live, "check_approved", approved),
    ]

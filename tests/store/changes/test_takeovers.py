"""Ways in which one person would be two: what they propose, nobody else has approved."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.domain.errors import Forbidden, KeyRefused, Refused
from orchestrator.operations.access.keys import check_key
from orchestrator.operations.access.people import accept_invite, invite_person
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import invites
from tests.leads import lead_workflow
from tests.people import (
    ADMIN,
    PASSWORD,
    add,
    add_admin,
    age_roles,
    give,
    key_of,
    logged_in,
    withdraw,
)
from tests.store.changes.governed import (
    APPROVER,
    approver,
    author,
    decide,
    govern,
    live_version,
    proposed,
    version,
)

SECOND_ADMIN = "second-admin@agency.example"


def test_an_author_whose_address_has_a_slash_does_not_approve(store: Store) -> None:
    govern(store)
    both = "ops/emea@acme.example"
    add(store, both, Role.OPERATOR, "acme")
    give(store, both, Role.APPROVER, "acme")
    withdraw(store, APPROVER, Role.APPROVER, "acme")  # whom the live version names
    age_roles(store)
    token = proposed(store, by=logged_in(store, both))

    with pytest.raises(Forbidden, match="nobody approves their own change"):
        decide(store, token, by=logged_in(store, both))
    assert live_version(store) == 1


def test_a_key_that_an_inviter_made_ends_when_the_person_gets_the_account_back(
    store: Store,
) -> None:
    govern(store)
    take_over(store, APPROVER, by=ADMIN)
    held = key_of(store, APPROVER, Role.APPROVER, "acme")
    add(store, SECOND_ADMIN, Role.ADMIN, EVERY_CLIENT)
    take_over(store, APPROVER, by=SECOND_ADMIN)

    with pytest.raises(KeyRefused):
        check_key(store, held)


def test_an_invitation_to_oneself_hides_none_that_an_author_sent(store: Store) -> None:
    govern(store)
    give(store, APPROVER, Role.ADMIN, EVERY_CLIENT)
    add(store, SECOND_ADMIN, Role.ADMIN, EVERY_CLIENT)
    age_roles(store)
    take_over(store, APPROVER, by=SECOND_ADMIN)
    take_over(store, APPROVER, by=APPROVER)
    age_invitations(store)
    token = proposed(store, by=logged_in(store, SECOND_ADMIN))

    with pytest.raises(Forbidden, match="your password was set by an invitation"):
        decide(store, token)


@pytest.mark.parametrize("mine_is_first", [True, False])
def test_who_proposed_the_same_is_an_author_of_both(store: Store, mine_is_first: bool) -> None:
    govern(store)
    give(store, APPROVER, Role.OPERATOR, "acme")
    mine = proposed(store, version(20), by=approver(store))
    theirs = proposed(store, version(30))
    edited, text, by = (
        (theirs, version(20), author(store))
        if mine_is_first
        else (mine, version(30), approver(store))
    )
    publish_workflow(store, lead_workflow(text), actor=by, change=edited)

    with pytest.raises(Forbidden, match="nobody approves their own change"):
        decide(store, theirs)


def test_who_repeats_what_two_changes_say_is_an_author_of_both(store: Store) -> None:
    govern(store)
    give(store, APPROVER, Role.OPERATOR, "acme")
    first, second = proposed(store, version(20)), proposed(store, version(30))
    publish_workflow(store, lead_workflow(version(20)), actor=author(store), change=second)
    assert proposed(store, version(20), by=approver(store)) == first

    with pytest.raises(Forbidden, match="nobody approves their own change"):
        decide(store, second)


def test_an_address_that_the_columns_would_cut_is_no_persons(store: Store) -> None:
    add_admin(store)

    with pytest.raises(Refused, match="at most 200 characters"):
        add(store, f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example", Role.VIEWER, "acme")


def take_over(store: Store, mail: str, *, by: str) -> None:
    """Set somebody's password by an invitation that one sends and opens."""
    sent = invite_person(store, mail, actor=logged_in(store, by))
    accept_invite(store, sent, password=PASSWORD)


def age_invitations(store: Store) -> None:
    """Let each have been used a minute before it was."""
    with store.write() as tx:
        tx.execute(update(invites).values(used_at=invites.c.used_at - 60_000))

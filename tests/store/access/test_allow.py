"""Who may do what: each act, each role, for one's own client, another one, and none."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from orchestrator.domain.access.actor import Actor, Proof, login, process
from orchestrator.domain.access.roles import EVERY_CLIENT, ROLES_OF_PEOPLE, Role, includes
from orchestrator.domain.acts import ACTS, Act, Scope
from orchestrator.domain.errors import Forbidden, KeyRefused, NotFound, Refused
from orchestrator.operations.access.allow import allow, offered, scope_of
from orchestrator.operations.access.keys import (
    check_key,
    create_key,
    create_own_key,
    id_of_key,
    revoke_key,
    rotate_key,
)
from orchestrator.operations.access.people import disable_person
from orchestrator.store.access.keys import list_keys
from orchestrator.store.database.engine import Store
from tests.people import ADMIN, add, add_admin, give, key_of, logged_in, named, withdraw

MAIL = "ada@acme.example"


def answer(store: Store, actor: Actor, act: Act, client: str) -> str:
    """What the one place says: yes, no, or that there is no such thing."""
    with store.write() as tx:
        try:
            allow(tx, actor, act, [client])
        except Forbidden:
            return "no"
        except NotFound:
            return "unseen"
    return "yes"


def test_every_act_is_in_the_table_and_names_use_cases_that_are_there() -> None:
    assert set(ACTS) == set(Act)
    for act, rule in ACTS.items():
        for name in rule.use_case.split():
            module, _, function = name.rpartition(".")
            found = importlib.import_module(f"orchestrator.operations.{module}")
            assert callable(getattr(found, function, None)), (act, name)


@pytest.mark.parametrize("role", ROLES_OF_PEOPLE)
def test_a_role_for_a_client_answers_as_the_table_says(store: Store, role: Role) -> None:
    add_admin(store)
    add(store, MAIL, role, "acme")
    ada = logged_in(store, MAIL)

    for act, rule in ACTS.items():
        may = rule.scope is Scope.CLIENT and includes(role, rule.least)
        assert answer(store, ada, act, "acme") == ("yes" if may else "no"), act
        # An act for all clients at once names none, so there is nothing to hide.
        other = "unseen" if rule.scope is Scope.CLIENT else "no"
        assert answer(store, ada, act, "globex") == other, act


@pytest.mark.parametrize("role", ROLES_OF_PEOPLE)
def test_a_role_for_every_client_answers_as_the_table_says(store: Store, role: Role) -> None:
    add_admin(store)
    add(store, MAIL, role, EVERY_CLIENT)
    ada = logged_in(store, MAIL)

    for act, rule in ACTS.items():
        may = "yes" if includes(role, rule.least) else "no"
        assert {answer(store, ada, act, client) for client in ("acme", "globex")} == {may}, act


@pytest.mark.parametrize("where", ["acme", EVERY_CLIENT])
@pytest.mark.parametrize("role", ROLES_OF_PEOPLE)
def test_what_is_offered_is_what_is_allowed(store: Store, role: Role, where: str) -> None:
    add_admin(store)
    add(store, MAIL, role, where)

    for actor in (logged_in(store, MAIL), named(store, MAIL), login("cli:root"), process("keeper")):
        with store.read() as tx:
            own, other = (offered(tx, actor, [one]) for one in ("acme", "globex"))
            both, somewhere = offered(tx, actor, ["globex", "acme"]), offered(tx, actor, [])
        assert own == {one for one in Act if answer(store, actor, one, "acme") == "yes"}
        assert other == {one for one in Act if answer(store, actor, one, "globex") == "yes"}
        assert (both, somewhere) == (own & other, own | other)


def test_somebody_without_a_role_sees_nothing_and_who_is_not_named_is_told_to_say_who(
    store: Store,
) -> None:
    add_admin(store)
    add(store, MAIL, Role.ADMIN, "acme")
    withdraw(store, MAIL, Role.ADMIN, "acme")

    for act, rule in ACTS.items():
        unseen = "unseen" if rule.scope is Scope.CLIENT else "no"
        assert answer(store, logged_in(store, MAIL), act, "acme") == unseen, act
        assert answer(store, login("cli:root"), act, "acme") == "no", act
    with store.read() as tx, pytest.raises(Forbidden, match="--as MAIL"):
        allow(tx, login("cli:root"), Act.DISCARD, ["acme"])


def test_until_somebody_is_there_a_command_needs_no_actor(store: Store) -> None:
    assert {answer(store, login("cli:root"), act, "acme") for act in Act} == {"yes"}

    add_admin(store)

    assert {answer(store, login("cli:root"), act, "acme") for act in Act} == {"no"}
    assert {answer(store, process("keeper"), act, "acme") for act in Act} == {"yes"}


def test_a_name_on_the_command_line_is_enough_but_for_acts_that_need_a_proof(store: Store) -> None:
    add_admin(store)
    add(store, MAIL, Role.ADMIN, EVERY_CLIENT)

    for act, rule in ACTS.items():
        if includes(Role.ADMIN, rule.least):
            said = "no" if rule.needs_proof else "yes"
            assert answer(store, named(store, MAIL), act, "acme") == said, act


def test_a_role_that_is_withdrawn_and_a_person_who_is_disabled_count_no_more(store: Store) -> None:
    admin = add_admin(store)
    add(store, MAIL, Role.OPERATOR, "acme")
    ada = logged_in(store, MAIL)
    assert answer(store, ada, Act.DISCARD, "acme") == "yes"

    disable_person(store, MAIL, actor=admin)
    assert answer(store, ada, Act.DISCARD, "acme") == "unseen"
    disable_person(store, MAIL, actor=admin, enable=True)
    assert answer(store, ada, Act.DISCARD, "acme") == "yes"
    withdraw(store, MAIL, Role.OPERATOR, "acme")
    assert answer(store, ada, Act.DISCARD, "acme") == "unseen"


def test_the_key_of_a_person_may_do_what_both_may(store: Store) -> None:
    admin = add_admin(store)
    add(store, MAIL, Role.ADMIN, EVERY_CLIENT)
    key = key_of(store, MAIL, Role.ADMIN, EVERY_CLIENT)
    give(store, MAIL, Role.OPERATOR, "acme")
    withdraw(store, MAIL, Role.ADMIN, EVERY_CLIENT)
    caller = check_key(store, key)
    actor = caller.as_actor()

    assert actor.proof is Proof.KEY
    assert actor.name == f"person:{MAIL}/key:{caller.key_id}"
    assert answer(store, actor, Act.DISCARD, "acme") == "yes"
    assert answer(store, actor, Act.ERASE, "acme") == "no"
    assert answer(store, actor, Act.DISCARD, "globex") == "unseen"

    disable_person(store, MAIL, actor=admin)
    assert answer(store, actor, Act.DISCARD, "acme") == "unseen"


def refuse_to_make(store: Store, actor: Actor, mail: str, **asked: Any) -> str:
    """Why no key of this person is made."""
    wanted: dict[str, Any] = {"clients": ["acme"], "label": "t", "role": Role.VIEWER, **asked}
    with pytest.raises(Refused) as refused:
        create_own_key(store, actor=actor, mail=mail, **wanted)
    return str(refused.value)


def test_nobody_makes_or_replaces_the_key_of_somebody_else(store: Store) -> None:
    admin = add_admin(store)
    add(store, MAIL, Role.ADMIN, "acme")
    ada = logged_in(store, MAIL)
    ours = "only that person can make the key of a person"

    assert ours in refuse_to_make(store, ada, ADMIN)
    assert ours in refuse_to_make(store, admin, MAIL)
    assert ours in refuse_to_make(store, ada, "nobody@acme.example")  # it tells of nobody
    assert ours in refuse_to_make(store, named(store, MAIL), MAIL)
    assert ours in refuse_to_make(store, login("cli:root"), MAIL)
    assert ours in refuse_to_make(store, process("keeper"), MAIL)
    program = create_key(store, clients=["acme"], label="n8n", actor=admin, role=Role.ADMIN)
    assert ours in refuse_to_make(store, check_key(store, program).as_actor(), MAIL)

    hers = id_of_key(key_of(store, MAIL, Role.ADMIN, "acme"))
    with pytest.raises(Forbidden, match="only that person can rotate"):
        rotate_key(store, hers, actor=admin)
    again = check_key(store, rotate_key(store, hers, actor=ada))
    assert again.mail == MAIL
    revoke_key(store, again.key_id, actor=admin)


def test_a_key_of_ones_own_makes_none_that_may_more_or_lasts_longer(store: Store) -> None:
    add_admin(store)
    add(store, MAIL, Role.STEWARD, EVERY_CLIENT)
    narrow = create_own_key(
        store,
        clients=["acme"],
        label="narrow",
        actor=logged_in(store, MAIL),
        role=Role.OPERATOR,
        mail=MAIL,
        seconds=3_600,
    )
    by_key = check_key(store, narrow).as_actor()

    assert "role steward" in refuse_to_make(store, by_key, MAIL, role=Role.STEWARD)
    assert "no client 'globex'" in refuse_to_make(store, by_key, MAIL, clients=["globex"])
    assert "every client" in refuse_to_make(store, by_key, MAIL, clients=[EVERY_CLIENT])
    assert "role admin" in refuse_to_make(store, logged_in(store, MAIL), MAIL, role=Role.ADMIN)

    made = create_own_key(
        store,
        clients=["acme"],
        label="longer",
        actor=by_key,
        role=Role.VIEWER,
        mail=MAIL,
        seconds=86_400,
    )
    turned = rotate_key(store, id_of_key(narrow), actor=by_key)
    with store.read() as tx:
        ends = {one.id: one.expires_at for one in list_keys(tx)}
    assert ends[id_of_key(made)] == ends[id_of_key(turned)]
    assert ends[id_of_key(made)] is not None
    assert (ends[id_of_key(narrow)] or "") <= (ends[id_of_key(made)] or "")


def test_a_person_revokes_a_key_of_their_own_and_no_other(store: Store) -> None:
    admin = add_admin(store)
    add(store, MAIL, Role.VIEWER, "acme")
    ada = logged_in(store, MAIL)
    other = create_key(store, clients=["acme"], label="form", actor=admin)
    with pytest.raises(Forbidden):
        revoke_key(store, id_of_key(other), actor=ada)

    key = key_of(store, MAIL, Role.VIEWER, "acme")
    with pytest.raises(Forbidden):
        revoke_key(store, id_of_key(key), actor=named(store, MAIL))
    revoke_key(store, id_of_key(key), actor=ada)

    with pytest.raises(KeyRefused):
        check_key(store, key)


def test_who_is_disabled_loses_every_key_for_good_and_is_told_which(store: Store) -> None:
    admin = add_admin(store)
    add(store, MAIL, Role.OPERATOR, "acme")
    keys = [key_of(store, MAIL, Role.VIEWER, "acme") for _ in range(2)]
    programs = create_key(store, clients=["acme"], label="form", actor=admin)

    done = disable_person(store, MAIL, actor=admin)
    assert done.ended_keys == tuple(sorted(id_of_key(key) for key in keys))
    assert disable_person(store, MAIL, actor=admin, enable=True).ended_keys == ()

    for key in keys:
        with pytest.raises(KeyRefused):
            check_key(store, key)
    check_key(store, programs)


def test_a_key_of_a_program_has_its_own_role_and_manages_neither_keys_nor_people(
    store: Store,
) -> None:
    admin = add_admin(store)
    key = create_key(store, clients=["acme"], label="n8n", actor=admin, role=Role.ADMIN)
    actor = check_key(store, key).as_actor()

    assert answer(store, actor, Act.DISCARD, "acme") == "yes"
    assert answer(store, actor, Act.MANAGE_KEYS, "acme") == "no"
    assert answer(store, actor, Act.ERASE, "acme") == "no"
    assert answer(store, actor, Act.DISCARD, "globex") == "unseen"

    revoke_key(store, check_key(store, key).key_id, actor=admin)
    assert answer(store, actor, Act.DISCARD, "acme") == "unseen"


def test_a_producers_key_sends_events_and_looks_at_nothing(store: Store) -> None:
    admin = add_admin(store)
    key = create_key(store, clients=["acme"], label="form", actor=admin)
    actor = check_key(store, key).as_actor()

    assert answer(store, actor, Act.EMIT, "acme") == "yes"
    assert answer(store, actor, Act.VIEW, "acme") == "unseen"


def test_whose_clients_one_may_look_at(store: Store) -> None:
    with store.read() as tx:
        assert scope_of(tx, login("cli:root")).names is None

    add_admin(store)
    add(store, MAIL, Role.VIEWER, "acme")
    with store.read() as tx:
        assert scope_of(tx, logged_in(store, MAIL)).names == frozenset({"acme"})
        with pytest.raises(Forbidden, match="nobody is named"):
            scope_of(tx, login("cli:root"))
        assert scope_of(tx, logged_in(store, "admin@agency.example")).names is None
        assert "acme" in scope_of(tx, process("keeper"))


def test_the_first_person_has_to_be_an_admin_and_the_last_one_stays(store: Store) -> None:
    with pytest.raises(Refused, match="the first person has to be an admin"):
        add(store, MAIL, Role.OPERATOR, "acme")
    admin = add_admin(store)

    with pytest.raises(Refused, match="nobody would be left"):
        disable_person(store, "admin@agency.example", actor=admin)
    with pytest.raises(Refused, match="nobody would be left"):
        withdraw(store, "admin@agency.example", Role.ADMIN, EVERY_CLIENT)
    assert answer(store, admin, Act.MANAGE_PEOPLE, "acme") == "yes"

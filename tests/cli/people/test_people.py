"""Who acts at the command line: nobody, a name, a session, a key; and what each may do."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.desk import CommandLine
from tests.people import PASSWORD

ADMIN = "admin@agency.example"
ADA = "ada@acme.example"
VIC = "vic@globex.example"


@pytest.fixture
def people(meshline: CommandLine) -> CommandLine:
    """A store with leads in quarantine, an admin, an operator of acme, and a viewer of globex."""
    meshline.publish()
    meshline.leads(2, tier="gold")
    meshline.validate()
    added = meshline("people", "add", ADMIN, "--name", "A", "--role", "admin", "--all-clients")
    assert added.code == 0, added.err
    accept(meshline, added.err, PASSWORD)
    log_in(meshline, ADMIN)
    for mail, role, client in ((ADA, "operator", "acme"), (VIC, "viewer", "globex")):
        added = meshline("people", "add", mail, "--name", mail, "--role", role, "--client", client)
        assert added.code == 0, added.err
    return meshline


def accept(meshline: CommandLine, said: str, password: str, mail: str | None = None) -> None:
    """Set a password by the link that a command said."""
    from orchestrator.operations.access.people import accept_invite

    token = said.rpartition("/invite/")[2].strip()
    with meshline.store() as store:
        accept_invite(store, token, password=password, mail=mail)


def log_in(meshline: CommandLine, mail: str) -> None:
    ran = meshline("login", mail, stdin=f"{PASSWORD}\n")
    assert ran.code == 0, ran.err


def discard(meshline: CommandLine, *words: str, **environment: str) -> str:
    ran = meshline(
        "quarantine", "discard", "--workflow", "leads", "--why", "a test", *words, **environment
    )
    return "done" if ran.code == 0 else ran.err


def test_the_first_person_is_an_admin_for_every_client(meshline: CommandLine) -> None:
    meshline.publish()

    first = meshline(
        "people", "add", ADA, "--name", "Ada", "--role", "operator", "--client", "acme"
    )
    assert first.error.startswith("role: the first person has to be an admin for every client")
    role = meshline("people", "add", ADA, "--name", "Ada", "--role", "admin")
    assert "say for whom: --client at least once, or --all-clients" in role.usage
    wrong = meshline("people", "add", "ada", "--name", "Ada", "--role", "admin", "--all-clients")
    assert wrong.error.startswith("mail: 'ada' is not an e-mail address")
    assert "is not a role" in meshline("people", "add", ADA, "--name", "A", "--role", "king").usage


def test_an_incident_that_its_new_owner_may_not_see_is_pointed_out(people: CommandLine) -> None:
    unseen = people("incidents", "assign", "1", "--to", VIC)
    assert (unseen.code, unseen.out) == (0, "assigned incident 1\n")
    assert f"{VIC} may not see incident 1: give them a role for its client" in unseen.err

    for mail in (ADA, ADMIN):
        assert people("incidents", "assign", "1", "--to", mail).err == ""
    told = people("incidents", "assign", "1", "--to", VIC, "--json").document
    assert (told["assigned"], told["unseen"], told["owner_unknown"]) == ([1], [1], False)


def test_an_incident_that_goes_to_an_address_of_nobody_is_pointed_out(people: CommandLine) -> None:
    nobody = "nobody.here@acme.example"

    told = people("incidents", "assign", "1", "--to", nobody)

    assert (told.code, told.out) == (0, "assigned incident 1\n")
    assert f"nobody with the address {nobody} is a person here" in told.err
    again = people("incidents", "assign", "1", "--to", nobody, "--json").document
    assert (again["unchanged"], again["owner_unknown"]) == ([1], True)


def test_nobody_is_not_a_name(people: CommandLine) -> None:
    for nobody in ("", "  "):
        ran = people("keys", "create", "--client", "acme", "--label", "x", "--as", nobody)
        assert "name somebody, or leave it out" in ran.usage


def test_before_there_are_people_one_is_told_how_to_add_the_first(meshline: CommandLine) -> None:
    meshline.publish()

    ran = meshline("people", "show")

    assert "there are no people yet" in ran.err
    assert "people add MAIL --name TEXT --role admin --all-clients` adds the first" in ran.err
    assert "nobody is named" not in ran.err


def test_a_role_for_a_client_that_nothing_is_published_for_is_pointed_out(
    people: CommandLine,
) -> None:
    given = people("people", "roles", ADA, "--give", "steward", "--client", "acmee")
    added = people(
        *("people", "add", "new@acme.example", "--name", "N", "--role", "viewer"),
        *("--client", "acme", "--client", "glob"),
    )

    assert (given.code, added.code) == (0, 0)
    assert given.err == "note: client 'acmee' has no live workflow yet\n"
    assert added.err == "note: client 'glob' has no live workflow yet\n"


def test_from_the_first_person_on_a_command_has_to_say_who_acts(people: CommandLine) -> None:
    people("logout")

    assert "nobody is named who would see events" in discard(people)
    assert "nobody is named" in people("people", "list").error
    assert "there is no person 'eve@acme.example'" in discard(people, "--as", "eve@acme.example")
    assert "there is no person" in discard(people, MESHLINE_ACTOR="eve@acme.example")
    assert discard(people, "--as", ADA) == "done"
    assert (
        people("audit", "--action", "discard", "--json", "--as", ADA)
        .document["audit"][0]["actor"]
        .startswith(f"person:{ADA}/cli:")
    )


def test_as_may_stand_anywhere_and_the_environment_names_too(people: CommandLine) -> None:
    people("logout")

    for words in (("--as", ADA), (f"--as={ADA}",)):
        shown = people("people", "show", *words, "--json").document
        assert shown["person"]["mail"] == ADA
        assert shown["proof"] == "none"
    assert people(*words, "people", "show", "--json").document["person"]["mail"] == ADA
    named = people("people", "show", "--json", MESHLINE_ACTOR="ADA@acme.example").document
    assert named["person"]["mail"] == ADA


def test_a_role_of_another_client_sees_nothing(people: CommandLine) -> None:
    assert "there is no workflow 'leads'" in discard(people, "--as", VIC)
    assert people("events", "list", "--state", "discarded", "--json").document["events"] == []


def test_a_session_proves_who_acts_and_a_name_does_not(people: CommandLine) -> None:
    made = ("keys", "create", "--client", "acme", "--label", "x")
    assert people(*made).code == 0

    people("logout")
    named = people(*made, "--as", ADMIN)
    assert "takes a proof of who acts; log in with `meshline login`" in named.error
    log_in(people, ADMIN)
    assert people(*made, "--as", ADMIN).code == 0
    assert "takes the role admin for client 'acme'" in people(*made, "--as", ADA).error


def test_the_key_of_a_person_proves_who_acts(people: CommandLine) -> None:
    key = people(
        *("keys", "create", "--client", "acme", "--label", "hers"),
        *("--role", "admin", "--person", ADMIN, "--expires", "1d", "--json"),
    ).document["key"]
    people("logout")

    made = people("keys", "create", "--client", "acme", "--label", "x", MESHLINE_ACTOR=key)
    assert made.code == 0
    wrong = people("keys", "list", MESHLINE_ACTOR=key[:-2] + "xx")
    assert "the key is unknown, expired or revoked" in wrong.error


def test_a_key_is_made_for_oneself_and_its_end_is_told_when_one_is_disabled(
    people: CommandLine,
) -> None:
    mine = ("keys", "create", "--client", "acme", "--label", "x", "--role", "operator", "--json")
    assert "only that person can make the key" in people(*mine, "--person", ADA).error
    accept(people, people("people", "invite", ADA).out, PASSWORD)
    log_in(people, ADA)
    made = people(*mine, "--person", ADA).document
    assert made["key"].startswith(f"mk_{made['id']}_")

    log_in(people, ADMIN)
    disabled = people("people", "disable", ADA)
    assert f"ended keys: {made['id']}" in disabled.out


def test_the_file_of_the_session_is_the_logins_alone(people: CommandLine) -> None:
    (file,) = Path(os.environ["XDG_CONFIG_HOME"]).glob("meshline/session-*")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert people("people", "show", "--json").document["proof"] == "session"
    file.write_text("stolen and wrong")
    assert people("people", "show", "--json").document["proof"] == "none"
    log_in(people, ADMIN)
    assert people("logout", "--everywhere", "--json").document == {"ended": 2}
    assert people("logout").out == "nobody was logged in here\n"


def test_a_wrong_password_is_one_line(people: CommandLine) -> None:
    wrong = people("login", ADMIN, stdin="wrong password\n")

    assert wrong.error.startswith("password: the mail address or the password is wrong")


def test_ones_own_password_is_changed_with_the_one_before(people: CommandLine) -> None:
    assert "is wrong" in people("people", "password", stdin="wrong one\nanother password\n").error
    assert "12 to 1000" in people("people", "password", stdin=f"{PASSWORD}\nshort\n").error
    done = people("people", "password", stdin=f"{PASSWORD}\nanother password\n")
    assert done.out == f"the password of {ADMIN} is changed\n"
    assert people("people", "show", "--json").document["proof"] == "session"
    assert people("login", ADMIN, stdin=f"{PASSWORD}\n").code == 1


def test_roles_are_given_and_taken_and_the_last_admin_stays(people: CommandLine) -> None:
    given = people("people", "roles", ADA, "--give", "steward", "--client", "acme", "--json")
    assert [one["role"] for one in given.document["roles"]] == ["operator", "steward"]
    again = people("people", "roles", ADA, "--give", "steward", "--client", "acme")
    assert again.out == f"unchanged {ADA}: operator of acme, steward of acme\n"
    taken = people("people", "roles", ADA, "--take", "steward", "--client", "acme")
    assert taken.out == f"changed {ADA}: operator of acme\n"
    last = people("people", "roles", ADMIN, "--take", "admin", "--all-clients")
    assert "nobody would be left who can manage people" in last.error
    assert "nobody would be left" in people("people", "disable", ADMIN).error


def test_a_person_who_is_disabled_does_nothing_and_comes_back_with_the_same_roles(
    people: CommandLine,
) -> None:
    assert people("people", "disable", ADA).out == f"disabled {ADA}: operator of acme\n"
    assert people("people", "disable", ADA).out == f"unchanged {ADA}: operator of acme\n"
    assert f"{ADA} has no role with which to see" in discard(people, "--as", ADA)
    assert people("events", "list", "--state", "discarded", "--json").document["events"] == []
    people("people", "enable", ADA)
    discard(people, "--as", ADA)
    assert len(people("events", "list", "--state", "discarded", "--json").document["events"]) == 2


def test_an_invitation_is_a_link_for_one_person(people: CommandLine) -> None:
    link = people("people", "invite", ADA, "--json").document["link"]

    assert link.startswith("http://127.0.0.1:5555/invite/")
    assert "there is no person" in people("people", "invite", "eve@acme.example").error


def test_keys_are_rotated_with_an_overlap(people: CommandLine) -> None:
    key = people("keys", "create", "--client", "acme", "--label", "form", "--json").document["key"]
    old = key.split("_")[1]

    new = people("keys", "rotate", old, "--overlap", "1h", "--json").document
    assert new["replaces"] == old
    listed = {one["id"]: one for one in people("keys", "list", "--json").document["keys"]}
    assert listed[old]["replaced_by"] == new["key"].split("_")[1]
    assert listed[old]["expires_at"] is not None
    for one in (key, new["key"]):
        sent = people("keys", "list", MESHLINE_ACTOR=one)
        assert "the key is unknown" not in sent.err
    people("keys", "rotate", old, "--overlap", "0s")
    assert "the key is unknown" in people("keys", "list", MESHLINE_ACTOR=key).err
    assert "is not a duration" in people("keys", "rotate", old, "--overlap", "soon").usage


def test_the_first_admin_is_whoever_opens_the_link_and_then_it_takes_a_name(
    meshline: CommandLine,
) -> None:
    first = meshline("people", "invite")
    accept(meshline, first.out, PASSWORD, mail=ADMIN)
    log_in(meshline, ADMIN)

    again = meshline("people", "invite")

    assert first.out.startswith("http://127.0.0.1:5555/invite/")
    assert again.code == 1
    assert "say whom you invite" in again.err

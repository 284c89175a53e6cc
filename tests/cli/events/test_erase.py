"""`meshline erase`: what it asks, what it says, and what it refuses."""

from __future__ import annotations

import pytest

from tests.cli.desk import CommandLine

PERSON = "lead-0@example.com"


def test_a_preview_counts_and_names_the_events_and_erases_nothing(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    ran = meshline(
        "erase", "--match", f"email={PERSON}", "--client", "acme", "--dry-run", "--discard"
    )

    assert ran.code == 0
    assert "would be erased: 1 events" in ran.out
    assert event_id in ran.out
    shown = meshline("events", "show", event_id, "--payload", "--json").document
    assert shown["payload"]["email"] == PERSON


def test_an_erasure_says_what_it_does_not_reach(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    ran = meshline("erase", event_id, "--discard", "--why", f"{PERSON} asked", "--yes")

    assert ran.code == 0
    assert "erased: 1 events" in ran.out
    assert "backups" in ran.out
    page = meshline("events", "show", event_id, "--payload")
    assert "what it carried is gone" in page.out
    assert PERSON not in page.out + meshline("audit").out
    assert "[erased] asked" in meshline("audit", "--action", "erase").out


def test_a_second_time_it_says_so_and_is_content(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")
    words = ("erase", event_id, "--discard", "--why", "asked", "--yes", "--json")
    assert meshline(*words).document["ids"] == [event_id]

    again = meshline(*words)

    assert again.code == 0
    assert [one["id"] for one in again.document["already"]] == [event_id]
    assert again.document["beyond"]


def test_what_is_refused_says_why_and_ends_with_one(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    ran = meshline("erase", event_id, "--why", "asked", "--yes", "--json")

    assert ran.code == 1
    assert "--discard" in ran.document["refused"][0]["detail"]


def test_what_is_erased_only_in_part_ends_with_one_too(meshline: CommandLine) -> None:
    done, stays = meshline.leads(2, tier="gold")
    assert meshline("quarantine", "discard", done, "--why", "a test").code == 0
    assert "quarantine restore" in meshline("events", "show", done).out

    ran = meshline("erase", done, stays, "--why", "asked", "--yes", "--json")

    assert ran.code == 1
    assert ran.document["ids"] == [done]
    assert [one["id"] for one in ran.document["refused"]] == [stays]
    assert "quarantine restore" not in meshline("events", "show", done).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--why", "asked"), "name events"),
        (("x", "--match", "a=b", "--why", "asked"), "name events"),
        (("--match", "email", "--client", "acme", "--why", "asked"), "FIELD=VALUE"),
        (("--match", "email=a@b.example", "--why", "asked"), "--client"),
        (("x", "--client", "acme", "--why", "asked", "--yes"), "--client goes with --match"),
        (("x",), "--why"),
        (("x", "--why", "asked"), "--yes"),
    ],
)
def test_wrong_words_are_usage(meshline: CommandLine, words: tuple[str, ...], said: str) -> None:
    meshline.leads(1)

    ran = meshline("erase", *words)

    assert ran.code == 2
    assert said in ran.err


def test_an_id_that_does_not_exist_is_one_line(meshline: CommandLine) -> None:
    meshline.leads(1)

    assert "there is no event" in meshline("erase", "x", "--why", "asked", "--yes").error


@pytest.mark.parametrize("more", [("--dry-run",), ("--why", "asked", "--yes")], ids=" ".join)
def test_a_client_that_never_was_there_is_named_with_the_nearest(
    meshline: CommandLine, more: tuple[str, ...]
) -> None:
    meshline.leads(1)

    error = meshline("erase", "--match", f"email={PERSON}", "--client", "acne", *more).error

    assert error == "client: there is no client 'acne'; write `acme`"


def test_a_client_to_whom_nothing_came_has_no_such_payload(meshline: CommandLine) -> None:
    meshline.leads(1)
    meshline.publish_other()

    error = meshline(
        "erase", "--match", "email=x@y.example", "--client", "globex", "--dry-run"
    ).error

    assert "no payload of client 'globex' has this value" in error

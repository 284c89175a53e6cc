"""What is one vendor's own: the answers that another would not give."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.delivery.handoff import Blame, Confirmed, Failed, Mismatched, Receipted
from orchestrator.pipeline.settle import GiveUp
from tests.vendors.driving import Bench, bench_of, drive
from tests.vendors.every import CASES
from tests.vendors.stand_ins.server import Asked, Reply

Tell = Callable[[str, Callable[[Bench], Awaitable[None]]], None]
BY_NAME = {case.name: case for case in CASES}


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    def run(name: str, story: Callable[[Bench], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with bench_of(BY_NAME[name], monkeypatch, tmp_path) as bench:
                await story(bench)

        asyncio.run(whole())

    return run


def answering_once(bench: Bench, method: str, reply: Reply, *, stores: bool = False) -> None:
    """The next request of a method gets this answer, before or after it was carried out."""
    stand_in: Any = bench.stand_in
    usual = stand_in._answer

    def answer(asked: Asked) -> Reply:
        if asked.method != method or "oauth2" in asked.path:
            told: Reply = usual(asked)
            return told
        stand_in._answer = usual
        if stores:
            usual(asked)
        return reply

    stand_in._answer = answer


def test_zendesks_own_key_folds_a_second_request_before_any_look_up(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        outcomes = [await bench.hand(), await bench.hand()]

        assert outcomes[0] == outcomes[1]
        assert bench.stored() == 1

    tell("zendesk.create_ticket", story)


def test_a_collision_in_zendesks_database_is_looked_up_before_it_is_sent_again(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        answering_once(bench, "POST", Reply(status=409, body={"error": "DatabaseConflict"}))

        outcome = await bench.hand()

        assert isinstance(outcome, Failed)
        assert (outcome.unknown, outcome.permanent) == (True, False)

    tell("zendesk.create_ticket", story)


def test_a_property_that_hubspot_does_not_know_is_refused_though_the_answer_is_2xx(
    tell: Tell,
) -> None:
    async def story(bench: Bench) -> None:
        error = {"category": "VALIDATION_ERROR", "message": 'Property "phone" does not exist'}
        body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]}
        answering_once(bench, "POST", Reply(status=207, body=body))

        outcome = await bench.hand()

        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.unknown) == (True, False)
        assert "does not exist" in outcome.error

    tell("hubspot.upsert_contact", story)


@pytest.mark.parametrize(
    ("error", "permanent", "unknown", "blame"),
    [
        ("ratelimited", False, False, Blame.PACE),
        ("token_revoked", True, False, Blame.LOGIN),
        ("fatal_error", False, True, Blame.SYSTEM),
        ("not_in_channel", True, False, Blame.CALL),
    ],
)
def test_what_slack_answers_200_to_is_read_by_its_error(
    tell: Tell, error: str, permanent: bool, unknown: bool, blame: Blame
) -> None:
    async def story(bench: Bench) -> None:
        answering_once(bench, "POST", Reply(body={"ok": False, "error": error}))

        outcome = await bench.hand()

        assert isinstance(outcome, Failed)
        found = outcome.permanent, outcome.unknown, outcome.blame
        assert found == (permanent, unknown, blame)

    tell("slack.post_message", story)


def test_a_slack_message_that_was_stored_before_a_fatal_error_is_found_by_its_metadata(
    tell: Tell,
) -> None:
    async def story(bench: Bench) -> None:
        fatal = Reply(body={"ok": False, "error": "fatal_error"})
        answering_once(bench, "POST", fatal, stores=True)
        assert isinstance(await bench.hand(), Failed)

        outcome = await bench.hand(look_first=True)

        assert isinstance(outcome, Confirmed)
        assert outcome.found
        assert bench.stored() == 1

    tell("slack.post_message", story)


def test_a_salesforce_session_that_ended_is_opened_anew(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        ended = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
        answering_once(bench, "PATCH", Reply(status=401, body=ended))

        outcome = await bench.hand()

        assert isinstance(outcome, Confirmed), outcome
        tokens = [one for one in bench.stand_in.asked if one.path.endswith("/token")]
        assert len(tokens) == 2

    tell("salesforce.create_case", story)


def test_a_row_that_salesforce_has_locked_is_tried_again(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        locked = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to lock row"}]
        answering_once(bench, "PATCH", Reply(status=400, body=locked))

        outcome = await bench.hand()

        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.unknown) == (False, False)

    tell("salesforce.create_case", story)


def test_a_freshdesk_contact_that_is_there_with_another_name_is_a_mismatch(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.hand(fields={**bench.case.fields, "name": "Somebody Else"})

        outcome = await bench.hand()

        assert isinstance(outcome, Mismatched)
        assert [one.field for one in outcome.differences] == ["name"]
        assert bench.stored() == 1

    tell("freshdesk.create_contact", story)


def test_a_field_that_was_not_sent_leaves_no_empty_object_for_jira(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        assert isinstance(await bench.hand(), Confirmed)
        assert "priority" not in bench.stand_in.asked[0].json["fields"]

    tell("jira.create_issue", story)


def test_posthogs_uuid_is_the_keys_and_nobody_elses(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        for key in ("event-1.analytics", "event-1.analytics", "event-2.analytics"):
            assert isinstance(await bench.hand(key), Receipted)

        first, again, other = (one.json["uuid"] for one in bench.stand_in.asked)
        assert first == again != other
        assert bench.stored() == 2

    tell("posthog.capture", story)


@pytest.mark.parametrize(
    "name", ["jira.create_issue", "freshdesk.create_ticket", "intercom.create_ticket"]
)
def test_a_login_that_may_create_and_not_read_makes_one_record_and_a_person_is_told(
    tell: Tell, name: str
) -> None:
    async def story(bench: Bench) -> None:
        stand_in: Any = bench.stand_in
        usual = stand_in._answer

        def answer(asked: Asked) -> Reply:
            if asked.method != "GET":
                told: Reply = usual(asked)
                return told
            nothing: dict[str, Any] = {"issues": [], "results": [], "total": 0}
            return Reply(body=nothing) if "search" in asked.path else bench.stand_in.missing()

        stand_in._answer = answer

        settled = await drive(bench, longest=10, meanwhile=lambda: asyncio.sleep(0))

        assert isinstance(settled, GiveUp)
        assert "cannot be seen" in settled.error
        assert bench.stored() == 1

    tell(name, story)


@pytest.mark.parametrize(
    ("said", "unknown", "permanent"),
    [
        ("endpoint returned HTTP error 429 with ContextId tcid=0", False, False),
        ("endpoint returned HTTP error 413", False, True),
        ("endpoint returned HTTP error 502", True, True),
        ("<html>sign in</html>", True, True),
    ],
)
def test_200_with_a_failure_in_words_is_not_a_card_in_teams(
    tell: Tell, said: str, unknown: bool, permanent: bool
) -> None:
    async def story(bench: Bench) -> None:
        reply = Reply(body=f"Webhook message delivery failed with error: Microsoft Teams {said}")
        answering_once(bench, "POST", reply)

        outcome = await bench.hand()

        assert isinstance(outcome, Failed), outcome
        assert (outcome.unknown, outcome.permanent) == (unknown, permanent)

    tell("teams.post_card", story)


def test_the_older_webhook_of_teams_answers_1(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        answering_once(bench, "POST", Reply(body="1"))

        assert isinstance(await bench.hand(), Receipted)

    tell("teams.post_card", story)


def test_a_slack_webhook_that_does_not_say_ok_has_not_posted(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        answering_once(bench, "POST", Reply(body="<html>maintenance</html>"))
        assert isinstance(await bench.hand(), Failed)

        answering_once(bench, "POST", Reply(status=404, body="no_service"))
        outcome = await bench.hand()

        assert isinstance(outcome, Failed)
        assert outcome.blame is Blame.LOGIN

    tell("slack-webhook.post_message", story)


@pytest.mark.parametrize("newer", [0, 14, 40])
def test_a_slack_message_is_found_below_newer_ones_however_slack_cuts_its_pages(
    tell: Tell, newer: int
) -> None:
    async def story(bench: Bench) -> None:
        stand_in: Any = bench.stand_in
        stand_in.most = 15
        await bench.hand()
        for number in range(newer):
            stand_in.keep("message", {"text": f"chatter {number}"})

        outcome = await bench.hand(look_first=True)

        assert isinstance(outcome, Confirmed), outcome
        assert outcome.found
        assert bench.stored() == newer + 1

    tell("slack.post_message", story)


def test_a_slack_channel_that_is_cut_short_proves_nothing_and_one_read_to_its_end_does(
    tell: Tell,
) -> None:
    async def story(bench: Bench) -> None:
        stand_in: Any = bench.stand_in
        stand_in.most = 15
        for number in range(40):
            stand_in.keep("message", {"text": f"chatter {number}"})
        stand_in.names_next = False
        cut = await bench.hand(look_first=True)
        stand_in.names_next = True
        whole = await bench.hand(look_first=True)

        assert isinstance(cut, Failed)
        assert (cut.unknown, cut.permanent) == (True, True)
        assert isinstance(whole, Confirmed)
        assert bench.stored() == 41

    tell("slack.post_message", story)

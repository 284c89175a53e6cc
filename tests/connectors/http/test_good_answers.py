"""Done only where the answer says so: good answers, and rules that read texts and headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.definition_file import parse_definition
from connectors.http.answer_signs import GoodAnswers
from connectors.http.definition import Sign
from connectors.http.wire.exchange import Answer
from orchestrator.domain.delivery.handoff import Blame, Failed, Receipted
from orchestrator.domain.errors import InvalidFile
from tests.connectors.http.stub import WEBHOOK, Stub
from tests.connectors.rigs import hand, sent

Run = Callable[..., Any]


def good(body: bytes, *signs: dict[str, Any], status: int = 200, failed: str = "") -> bool:
    said = [Sign.model_validate(one) for one in signs]
    headers = {"X-Failed": failed} if failed else {}
    return GoodAnswers(said).have(Answer(status=status, headers=headers, body=body))


def test_without_a_word_any_2xx_is_good_and_with_one_only_what_fits_it() -> None:
    assert good(b"no")
    assert not good(b"", status=500)
    assert good(b" 1\n", {"status": 202}, {"text": "1"})
    assert good(b"", {"status": 202}, {"text": "1"}, status=202)
    assert not good(b"failed", {"status": 202}, {"text": "1"})
    assert good(b'{"ok": true}', {"at": "ok", "is": True})
    assert not good(b'{"ok": false}', {"at": "ok", "is": True})
    assert not good(b"ok", {"at": "ok", "is": True})
    assert good(b"Message Accepted for delivery", {"contains": ["accepted", "queued"]})
    assert not good(b"no", {"contains": ["accepted", "queued"]})
    assert good(b"", {"header": "X-Failed", "is": ["no"]}, failed="no")
    assert not good(b"", {"header": "X-Failed"})


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b"[]", b'{"error": {"code": 1}}', b'{"error": []}']
)
def test_null_is_only_null(body: bytes) -> None:
    assert not good(body, {"at": "error", "is": None})
    assert not good(body, {"at": "error", "is": [None, "no"]})
    assert good(b'{"error": null}', {"at": "error", "is": None})
    assert good(b'{"error": null}', {"at": "error", "is": ["no", None]})


def test_another_status_is_good_only_where_it_is_named() -> None:
    assert good(b"", {"status": 303}, status=303)
    assert not good(b"ok", {"text": "ok"}, status=500)


HOOK = WEBHOOK.replace(
    'json: "{send}"}',
    'json: "{send}", good: {text: [ok, "1"]}}',
).replace(
    "actions:",
    "errors:\n"
    '  - {status: 200, contains: "HTTP error 429", means: rate_limited}\n'
    "  - {status: 200, text: no_channel, means: refused}\n"
    "  - {header: X-Failed, is: [quota], means: unavailable}\n"
    "actions:",
)


@pytest.mark.parametrize(
    ("body", "headers", "unknown", "blame"),
    [
        ("Webhook message delivery failed", {}, True, Blame.SYSTEM),
        ("delivery failed: endpoint returned http Error 429", {}, False, Blame.PACE),
        ("no_channel\n", {}, False, Blame.CALL),
        ("ok", {"X-Failed": "quota"}, False, Blame.SYSTEM),
        ("<html>please log in</html>", {}, True, Blame.SYSTEM),
    ],
)
def test_200_with_other_words_is_not_done(
    stub: Stub, run: Run, body: str, headers: dict[str, str], unknown: bool, blame: Blame
) -> None:
    stub.answers = [web.Response(text=body, headers=headers)]
    connector = stub.connector(HOOK)

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Failed), outcome
    assert (outcome.unknown, outcome.blame) == (unknown, blame)


def test_200_with_the_good_word_is_done(stub: Stub, run: Run) -> None:
    stub.answers = [web.Response(text="ok\n")]
    connector = stub.connector(HOOK)

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Receipted)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("{}", "good.0: it would fit every answer"),
        ("{status: 200, is: 1}", "good.0.is: it does not say where"),
        ("{at: a, header: B, is: 1}", "good.0.is: it does not say which of both it is of"),
        ('{header: "a b"}', "good.0.header: it is not a header name"),
        ("{text: {}}", "it is not a text"),
    ],
)
def test_a_good_answer_that_says_nothing_is_refused(said: str, fault: str) -> None:
    definition = WEBHOOK.replace('json: "{send}"}', f'json: "{{send}}", good: {said}}}')

    with pytest.raises(InvalidFile) as refused:
        parse_definition(definition.replace("URL", "https://a.example"), name="hook.yaml")

    assert fault in str(refused.value)

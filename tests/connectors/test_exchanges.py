"""What a call that is tried shows of the line: no secret, in whatever charset it comes."""

from __future__ import annotations

import pytest

from connectors.http.wire.exchange import Answer, Request
from connectors.try_call import shown
from orchestrator.domain.text.masking import spellings

SECRET = "s3cret-t0ken"


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-32-be", "cp037"])
def test_an_answer_in_any_charset_is_shown_without_the_secret(charset: str) -> None:
    request = Request(
        purpose="read", method="GET", url="https://tool.example/x", headers={},
        body=f'{{"key": "{SECRET}"}}'.encode(), connect_seconds=1, max_answer_bytes=1_000,
    )  # fmt: skip
    answer = Answer(
        status=404,
        headers={"Content-Type": f"text/plain; charset={charset}"},
        body=f"no {SECRET}".encode(charset),
    )

    (exchange,) = shown([(request, answer)], spellings(SECRET))

    assert exchange["body"] == '{"key": "***"}'
    assert exchange["answer"]["body"] == "no ***"

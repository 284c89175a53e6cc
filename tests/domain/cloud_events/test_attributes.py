"""Each attribute of a CloudEvent is read by the type that version 1.0.2 gives it."""

from __future__ import annotations

import pytest

from orchestrator.domain.cloud_events.attributes import check_attributes, declares_json
from orchestrator.domain.errors import InvalidTrigger

TAKEN = [
    ("id", "A234-1234 é \U0001f600"),
    ("source", "/"),
    ("source", "#"),
    ("source", "tel:1-555-123-4567"),
    ("type", "com.github.pull_request.opened"),
    ("subject", " "),
    ("subject", "mynewfile.jpg"),
    ("time", "2018-04-05t17:31:00z"),
    ("time", "2016-12-31T23:59:60Z"),  # a leap second
    ("time", "2016-12-31T15:59:60.5-08:00"),  # the same one in another place
    ("time", "2018-04-05T17:31:00-00:00"),
    ("time", "0001-01-01T00:00:00Z"),
    ("datacontenttype", "application/json"),
    ("datacontenttype", "text/xml;charset=UTF-8"),
    ("datacontenttype", 'application/json ; a="x\\"y";b=c'),
    ("dataschema", "urn:lead:1"),
    ("dataschema", "https://example.com/lead.json?v=1"),
    ("comexampleextension1", ""),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("0", True),
    ("a", False),
    ("n", -(2**31)),
    ("n", 2**31 - 1),
    ("n", 0),
    ("datacontentencoding", "base64"),  # of 0.3; in 1.0 a name as any other
    ("schemaurl", "a b"),
]
REFUSED = [
    ("id", ""),
    ("id", "a\u007f"),
    ("id", "a\u009f"),
    ("id", "a\ufdd0"),
    ("id", True),
    ("source", ""),
    ("source", "a b"),
    ("source", "%"),
    ("source", "http://[::1"),
    ("source", "1:a"),
    ("type", ""),
    ("subject", ""),
    ("subject", 1),
    ("time", ""),
    ("time", "2018-04-05 17:31:00Z"),
    ("time", "2018-04-05T17:31:00"),
    ("time", "2018-04-05T17:31:00,5Z"),
    ("time", "2018-04-05T24:00:00Z"),
    ("time", "2018-04-05T17:31:60Z"),  # no leap second is then
    ("time", "2018-04-05T17:31:00+24:00"),
    ("time", "2018-04-05T17:31:00+0100"),
    ("time", "2019-02-29T00:00:00Z"),
    ("time", 1522949460),
    ("datacontenttype", "application"),
    ("datacontenttype", "application/json; charset"),
    ("dataschema", "lead.json"),
    ("dataschema", "//example.com/lead.json"),
    ("dataschema", ""),
    ("n", 2**31),
    ("n", -(2**31) - 1),
    ("n", 1.0),
    ("n", []),
    ("n", {}),
    ("n", "a\x00"),
    ("some_extension", "x"),
    ("Some", "x"),
    ("é", "x"),
    ("", "x"),
    ("data", "x"),
]


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_what_the_type_of_an_attribute_allows_is_taken(name: str, value: object) -> None:
    check_attributes({name: value}, "1.0")


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_it_does_not_allow_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(InvalidTrigger) as refused:
        check_attributes({name: value}, "1.0")

    assert refused.value.field == name


@pytest.mark.parametrize(
    ("kind", "is_json"),
    [
        ("application/json", True),
        ("text/json; charset=utf-8", True),
        ("APPLICATION/vnd.Lead+JSON", True),
        ("application/jsonp", False),
        ("application/json-seq", False),
        ("application/+json", False),
        ("application/xml+json/x", False),
        ("json", False),
        ("", False),
    ],
)
def test_data_is_json_where_its_media_type_says_so(kind: str, is_json: bool) -> None:
    assert declares_json(kind) is is_json

"""Triggers from the command line, held to what the door holds its callers to."""

from __future__ import annotations

import pytest

from tests.cli.desk import CommandLine

LEAD = '{"email": "ada@example.com", "tier": "pro"}'
EMIT = ("emit", "lead.created", "--client", "acme")


@pytest.fixture(autouse=True)
def _live_workflow(meshline: CommandLine) -> None:
    meshline.publish()


def count(meshline: CommandLine) -> int:
    return len(meshline("events", "list", "--json").document["events"])


def test_the_id_is_printed_and_the_event_is_there(meshline: CommandLine) -> None:
    ran = meshline(*EMIT, "--data", LEAD)

    assert (ran.code, ran.err) == (0, "")
    event = meshline("events", "show", ran.out.strip(), "--payload", "--json").document
    assert event["state"] == "accepted"
    assert event["payload"] == {"email": "ada@example.com", "tier": "pro"}
    assert event["history"][0]["actor"].startswith("cli:")


def test_the_same_key_is_the_same_event(meshline: CommandLine) -> None:
    first = meshline(*EMIT, "--data", LEAD, "--key", "form-1", "--json").document
    again = meshline(*EMIT, "--data", LEAD, "--key", "form-1")

    assert first["duplicate"] is False
    assert again.out.strip() == first["id"]
    assert "duplicate" in again.err
    assert again.code == 0


@pytest.mark.parametrize("how", [("-",), ("--file", "-"), ("--file", "lead.json")])
def test_data_comes_from_stdin_or_a_file(meshline: CommandLine, how: tuple[str, ...]) -> None:
    meshline.write("lead.json", LEAD)

    ran = meshline(*EMIT, *how, stdin=LEAD)

    assert ran.code == 0
    assert count(meshline) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{", "data: "),
        ('{"a": NaN}', "NaN is not JSON at line 1, column 7"),
        ('{"a": 1, "a": 2}', 'the key "a" comes twice'),
        ("[" * 100 + "]" * 100, "deeper than 64"),
        ('{"a": 1e999}', "does not fit"),
        ("", "this one is empty"),
    ],
)
def test_data_that_is_not_strict_json_is_refused(
    meshline: CommandLine, data: str, said: str
) -> None:
    assert said in meshline(*EMIT, "--data", data).error
    assert count(meshline) == 0


def test_data_that_is_not_utf_8_is_refused(meshline: CommandLine) -> None:
    assert "is not UTF-8" in meshline(*EMIT, "-", stdin=b'{"a": "\xff"}').error


def test_data_over_the_limit_is_refused(meshline: CommandLine) -> None:
    ran = meshline(*EMIT, "-", stdin="x" * 101, MESHLINE_MAX_BODY_BYTES="100")

    assert ran.error == "data: it is over 100 bytes; send less, or raise MESHLINE_MAX_BODY_BYTES"


def test_a_type_that_no_workflow_takes_is_refused(meshline: CommandLine) -> None:
    error = meshline("emit", "lead.creatd", "--client", "acme", "--data", LEAD).error

    assert "did you mean 'lead.created'?" in error


def test_a_client_without_a_workflow_is_refused(meshline: CommandLine) -> None:
    error = meshline("emit", "lead.created", "--client", "acm", "--data", LEAD).error

    assert "no live workflow of client 'acm'" in error


def test_a_key_used_for_other_data_is_refused(meshline: CommandLine) -> None:
    meshline(*EMIT, "--data", LEAD, "--key", "form-1")

    error = meshline(*EMIT, "--data", "{}", "--key", "form-1").error

    assert "'form-1' was used for another payload" in error


@pytest.mark.parametrize("key", ["", "x" * 401, "a\nb"])
def test_a_key_out_of_bounds_is_refused(meshline: CommandLine, key: str) -> None:
    assert meshline(*EMIT, "--data", LEAD, "--key", key).error.startswith("key: ")


def test_a_file_that_is_not_there_is_named(meshline: CommandLine) -> None:
    assert meshline(*EMIT, "--file", "none.json").error == "none.json: No such file or directory"


@pytest.mark.parametrize("how", [("--data", "{}", "-"), ("--data", "{}", "--file", "f"), ("x",)])
def test_data_is_given_once(meshline: CommandLine, how: tuple[str, ...]) -> None:
    assert meshline(*EMIT, *how).code == 2


def lines(count: int, start: int = 0) -> str:
    """Leads, one a line, with an empty line in between."""
    rows = (f'{{"email": "{n}@example.com", "tier": "pro"}}' for n in range(start, start + count))
    return "\n\n".join(rows)


def test_every_line_is_an_event_of_its_own(meshline: CommandLine) -> None:
    meshline.write("leads.ndjson", lines(1_203))

    ran = meshline(*EMIT, "--lines", "--file", "leads.ndjson")

    assert ran.code == 0
    assert len(set(ran.out.split())) == 1_203
    assert ran.err == "accepted 1203, of which 0 were there already\n"


def test_lines_with_a_key_can_be_sent_again(meshline: CommandLine) -> None:
    meshline(*EMIT, "--lines", "-", "--key", "import-7", stdin=lines(3))

    again = meshline(*EMIT, "--lines", "-", "--key", "import-7", "--json", stdin=lines(5))

    assert again.document["accepted"] == 5
    assert again.document["duplicates"] == 3
    assert [one["duplicate"] for one in again.document["events"]] == [True] * 3 + [False] * 2


def test_a_bad_line_stops_the_rest_and_is_named(meshline: CommandLine) -> None:
    ran = meshline(*EMIT, "--lines", "-", stdin=lines(500) + '\n{"a": }\n' + lines(10))

    assert ran.code == 1
    assert len(ran.out.split()) == 500
    assert ran.err.startswith("error: line 1000: ")
    assert ran.err.endswith("the first 500 triggers are accepted, the others are not\n")


def test_a_line_that_the_store_refuses_is_named_too(meshline: CommandLine) -> None:
    meshline(*EMIT, "--data", LEAD, "--key", "import-7:3")

    error = meshline(*EMIT, "--lines", "-", "--key", "import-7", stdin=lines(3)).error

    assert error.startswith("line 3: the key 'import-7:3' was used for another payload")
    assert count(meshline) == 1

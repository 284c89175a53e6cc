"""What a worker says of a stranger's message goes to its log, and holds nothing of anybody's."""

from __future__ import annotations

from typing import Any

import pytest
from kombu.message import Message

from workers.guard.message_shape import Drop, Poison, fault_in_message, shown

ADDRESS = "ada@private.example"
TASKS = frozenset({"meshline.validate"})
OURS: dict[str, Any] = {"task": "meshline.validate", "id": "one"}
BODY = b'[[["x"], 1], {}, {}]'


def judged(
    headers: dict[str, Any], body: bytes = BODY, content_type: str = "application/json"
) -> Drop | Poison | None:
    message = Message(
        body=body,
        headers=headers,
        content_type=content_type,
        content_encoding="utf-8",
        accept={"application/json"},
    )
    return fault_in_message(message, TASKS)


def test_a_message_of_ours_has_no_fault() -> None:
    assert judged(OURS) is None


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({**OURS, "eta": ADDRESS}, BODY),
        ({**OURS, "expires": [ADDRESS]}, BODY),
        ({**OURS, "shadow": {ADDRESS: 1}}, BODY),
        ({**OURS, "timelimit": (ADDRESS, ADDRESS, 1)}, BODY),
        ({**OURS, "task": f"mail {ADDRESS}"}, BODY),
        ({**OURS, "task": ADDRESS}, BODY),
        (OURS, b'[[["x"], 1], {}, {"chain": [{"task": "ada@private.example"}]}]'),
        (OURS, b'{"email": "ada@private.example"'),
        (OURS, b'{"__type__": "ada@private.example", "__value__": "ada@private.example"}'),
    ],
)
def test_a_fault_is_named_without_anybodys_values(headers: dict[str, Any], body: bytes) -> None:
    verdict = judged(headers, body)

    assert isinstance(verdict, Poison | Drop)
    assert ADDRESS not in str(verdict)


def test_a_content_type_of_strangers_is_not_repeated() -> None:
    verdict = judged(OURS, content_type=f"application/{ADDRESS}")

    assert isinstance(verdict, Poison) and ADDRESS not in verdict.error


def test_what_helps_to_find_the_fault_is_shown() -> None:
    assert shown("crm.sync_contact") == "'crm.sync_contact'"
    assert shown(3600) == "3600"
    assert shown(ADDRESS) == f"a text of {len(ADDRESS)} characters"
    assert shown({"a": 1, "b": 2}) == "an object of 2"

"""Leads of a form: good ones, and those of a day on which its tier got another name. By seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger

CLIENT, WORKFLOW, TYPE = "acme", "lead-routing", "lead.created"  # of workflows/lead-routing.yaml
FIELD, RENAMED = "tier", "customer_tier"

CAUSES = 4
"""What is wrong with broken leads: so many incidents they make."""

_TIERS = ("enterprise", "pro", "starter")
_NAMES = ("ada", "ben", "chloe", "dmitri", "elif", "femi", "grace", "hiro", "ines", "jonas")
_SAID = (
    "we would like to see a demo of the onboarding and hear what it costs for a team of our size"
    " please call back on monday or write to the address above thank you and kind regards"
)

Payload = dict[str, Any]


def good_leads(count: int, rng: random.Random) -> Iterator[Trigger]:
    """Leads as the contract wants them."""
    return (_trigger(f"good-{number}", _lead(number, rng)) for number in range(count))


def broken_leads(count: int, rng: random.Random) -> Iterator[Trigger]:
    """Leads that the contract refuses, nearly all of them for the renamed field."""
    for number in range(count):
        payload = _lead(number, rng)
        _BREAKS[_cause(number, count)](payload)
        yield _trigger(f"broken-{number}", payload)


def count_renamed(count: int) -> int:
    """How many of so many broken leads have the renamed field."""
    return sum(_cause(number, count) == FIELD for number in range(count))


def _cause(number: int, count: int) -> str:
    """The field that is wrong: of a hundred leads 5 otherwise, in the second half 7."""
    place = number % 100
    if place < 3:
        return "unlisted"
    if place < 5:
        return "email"
    return "message" if place >= 98 and 2 * number >= count else FIELD


def _lead(number: int, rng: random.Random) -> Payload:
    name = rng.choice(_NAMES)
    return {
        "email": f"{name}.{number}@company-{rng.randrange(5_000)}.example",
        FIELD: rng.choice(_TIERS),
        "message": " ".join(rng.choices(_SAID.split(), k=rng.randint(5, 40))),
    }


def _rename(payload: Payload) -> None:
    payload[RENAMED] = payload.pop(FIELD)


def _unlist(payload: Payload) -> None:
    payload[FIELD] = "free"


def _break_address(payload: Payload) -> None:
    payload["email"] = payload["email"].replace("@", " at ")


def _split_message(payload: Payload) -> None:
    payload["message"] = payload["message"].split()


_BREAKS: Mapping[str, Callable[[Payload], None]] = {
    FIELD: _rename,
    "unlisted": _unlist,
    "email": _break_address,
    "message": _split_message,
}


def _trigger(key: str, payload: Payload) -> Trigger:
    return Trigger(
        client=CLIENT,
        type=TYPE,
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=key,
    )

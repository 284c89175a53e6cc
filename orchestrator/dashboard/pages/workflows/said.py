"""A published definition as its page shows it: read without the models, which load for long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.text.abbreviate import abbreviate, shorten

MOST_PROPERTIES = 100
_LONGEST = 160  # characters of what one line says


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """One field that a contract declares."""

    name: str
    may_be: str  # in words
    required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One named value that routes and destinations may use."""

    name: str
    value: str  # CEL over `data`
    optional: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One rule, and where it leads."""

    when: str  # CEL over the facts
    to: tuple[str, ...]  # destinations


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """What one destination is handed, and what is read back."""

    name: str
    calls: str  # connector and action: crm.upsert_contact
    fields: str  # that it is sent, by name
    confirm: str  # of these, those that are read back and compared
    after: tuple[str, ...]  # the destinations that come before it
    each: str | None  # the list of which each item has a delivery of its own


@dataclass(frozen=True, kw_only=True, slots=True)
class SaidWorkflow:
    """A version in the words of its page."""

    title: str
    type: str  # of the trigger
    owners: Mapping[str, str]  # addresses by role
    properties: tuple[Property, ...]
    more_properties: int  # that are declared and are not among them
    is_closed: bool  # the contract takes no other field
    facts: tuple[Fact, ...]
    routes: tuple[Route, ...]
    destinations: tuple[Destination, ...]
    settings: Mapping[str, str]  # clocks, retries, order: what is said, in words
    runbook: str | None
    promises_rate: bool  # a share of events that are delivered

    @property
    def required(self) -> str:
        """The fields that an event must have, on one line."""
        return shorten(", ".join(one.name for one in self.properties if one.required), _LONGEST)


def told_workflow(definition: Mapping[str, Any]) -> SaidWorkflow:
    """A definition as the store has it, in the words of its page."""
    contract = definition["contract"]
    properties = _properties(contract)
    return SaidWorkflow(
        title=definition["title"],
        type=definition["trigger"]["type"],
        owners={role.replace("_", " "): who for role, who in definition["owners"].items()},
        properties=properties[:MOST_PROPERTIES],
        more_properties=len(properties[MOST_PROPERTIES:]),
        is_closed=contract.get("additionalProperties") is False,
        facts=tuple(
            Fact(name=name, value=one["value"], optional=bool(one.get("optional")))
            for name, one in definition["facts"].items()
        ),
        routes=tuple(Route(when=one["when"], to=tuple(one["to"])) for one in definition["routes"]),
        destinations=tuple(
            _destination(name, one) for name, one in definition["destinations"].items()
        ),
        settings=_settings(definition),
        runbook=definition.get("runbook"),
        promises_rate=bool(definition["sla"].get("success_rate")),
    )


def _properties(contract: Mapping[str, Any]) -> tuple[Property, ...]:
    declared, required = contract.get("properties", {}), contract.get("required", ())
    if not isinstance(declared, Mapping):
        return ()
    names = [*declared, *(name for name in required if name not in declared)]
    return tuple(
        Property(name=name, may_be=told_schema(declared.get(name, True)), required=name in required)
        for name in names
    )


def told_schema(schema: object) -> str:
    """What a value may be, in a few words.

    >>> told_schema({"type": "string", "format": "email"}), told_schema({"enum": ["a", "b"]})
    ('string (email)', 'one of "a", "b"')
    """
    if schema is True or schema == {}:
        return "anything"
    if not isinstance(schema, Mapping):
        return "nothing"
    if isinstance(values := schema.get("enum"), list):
        return shorten("one of " + ", ".join(abbreviate(one) for one in values), _LONGEST)
    if (kind := schema.get("type")) is None:
        return abbreviate(dict(schema), _LONGEST)
    kinds = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    form = schema.get("format")
    return shorten(f"{kinds} ({form})" if form else kinds, _LONGEST)


def _destination(name: str, said: Mapping[str, Any]) -> Destination:
    return Destination(
        name=name,
        calls=f"{said['connector']}.{said['action']}",
        fields=shorten(", ".join(said["send"]), _LONGEST),
        confirm=shorten(", ".join(said.get("confirm", ())), _LONGEST),
        after=tuple(said.get("after", ())),
        each=said.get("each"),
    )


def _settings(definition: Mapping[str, Any]) -> dict[str, str]:
    sla, retries = definition["sla"], definition.get("retries", {})
    found = {
        "Deliver within": sla["deliver_within"],
        "Recover within": sla["recover_within"],
        "Hours": _hours(sla.get("calendar")),
        "Retries": _retries(retries),
        "Where a delivery fails": "what others have is taken back"
        if definition.get("on_failure") == "undo"
        else None,
        "In order of": definition.get("ordering_key"),
        "Behind an event that stalls": {"hold": "the others wait", "pass": "the others go on"}.get(
            definition.get("on_stall", "")
        ),
        "Waits for a yes": "; ".join(
            f"route {number}, at most {route['approve']['within']}"
            for number, route in enumerate(definition["routes"], start=1)
            if route.get("approve")
        ),
        "Amended by itself": _counted(definition.get("amend", ()), "step"),
    }
    return {name: told for name, told in found.items() if told}


def _retries(said: Mapping[str, Any]) -> str | None:
    if not said:
        return None
    waits = f"the first after {said['first']}, each wait {said['factor']:g} times the last"
    return f"at most {said['limit']}: {waits}, up to {said['ceiling']}"


def _hours(calendar: Mapping[str, Any] | None) -> str | None:
    if not calendar:
        return None
    spans = (f"{days} {', '.join(each)}" for days, each in calendar["hours"].items())
    holidays = _counted(calendar.get("holidays"), "holiday")
    told = f"{'; '.join(spans)} in {calendar['zone']}"
    return shorten(f"{told}, less {holidays}" if holidays else told, _LONGEST)


def _counted(many: object, what: str) -> str | None:
    count = len(many) if isinstance(many, list) else 0
    return f"{count} {what}{'' if count == 1 else 's'}" if count else None

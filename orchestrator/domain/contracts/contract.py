"""A contract: the JSON Schema that a payload must satisfy, compiled once and offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import Any, Literal

import jsonschema_rs
import orjson

from orchestrator.domain.contracts.cost import MOST_STEPS, ContractCost, cost_of
from orchestrator.domain.contracts.document import (
    DRAFT_7,
    DRAFT_2020,
    dotted,
    draft_of,
    reference_faults,
    subschemas,
)
from orchestrator.domain.contracts.pattern_cost import BACKTRACKS
from orchestrator.domain.contracts.places import Places
from orchestrator.domain.contracts.shorthand import shorthand_fault
from orchestrator.domain.contracts.unions import UNIONS, without_trees
from orchestrator.domain.contracts.violations import LONGEST_MESSAGE, MASK, describe, worded
from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.abbreviate import abbreviate, shorten
from orchestrator.domain.text.hints import did_you_mean

Formats = Literal["assert", "annotate"]

MOST_VIOLATIONS = 1_000
"""Violations of one payload that are kept."""

MOST_CHARACTERS = 262_144
"""Characters in the places of all violations of one payload: a name may be as long as a body."""

_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS)
_EMAILS = jsonschema_rs.EmailOptions(allow_display_text=False)
_DRAFTS: dict[str, type[jsonschema_rs.Validator]] = {
    DRAFT_7: jsonschema_rs.Draft7Validator,
    DRAFT_2020: jsonschema_rs.Draft202012Validator,
}
_FORMATS = (
    "date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname",
    "ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template",
    "json-pointer", "relative-json-pointer", "regex",
)  # fmt: skip


class TooDear(Exception):
    """Raised where a payload takes more steps than MOST_STEPS; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A compiled contract."""

    schema: dict[str, object]
    formats: Formats
    validator: jsonschema_rs.Validator
    places: Places  # of this schema
    cost: ContractCost

    def violations(self, payload: object) -> tuple[Violation, ...]:
        """Every way in which a payload breaks the contract, up to MOST_VIOLATIONS; () if none.

        They are those of a stock JSON Schema validator: a property that is not declared is a
        violation of the object that holds it. Raises TooDear.
        """
        errors = self.errors(payload, MOST_VIOLATIONS)
        return describe(errors, payload, self.schema, self.places) if errors else ()

    def errors(self, payload: object, most: int) -> tuple[jsonschema_rs.ValidationError, ...]:
        """The validator's own errors, up to `most`; () if there are none. Raises TooDear."""
        size = len(orjson.dumps(payload))
        if size > self.cost.harmless_bytes and self.cost.is_too_dear(payload):
            raise TooDear(f"to hold it against the contract {_TAKES}")
        if self.validator.is_valid(payload):
            return ()
        return tuple(_until_large(islice(self._errors(payload), most)))

    def _errors(self, payload: object) -> Iterable[jsonschema_rs.ValidationError]:
        """The errors; where they could fill the memory those of unions briefly, or the first."""
        if not self.cost.is_long_to_list(payload):
            return self.validator.iter_errors(payload)
        if self.cost.is_long_to_search(payload):
            raise TooDear(f"it breaks the contract, and to find out where {_TAKES}")
        brief, cost = self._brief
        if brief is None or cost is None:
            raise TooDear(f"it breaks the contract, and to find out where {_TAKES}")
        if cost is not self.cost and not cost.is_long_to_list(payload):
            return brief.iter_errors(payload)
        try:
            brief.validate(payload)
        except jsonschema_rs.ValidationError as first:
            return (first,)
        return ()

    @cached_property
    def _brief(self) -> tuple[jsonschema_rs.Validator | None, ContractCost | None]:
        """The same contract without the errors within unions, and what it costs."""
        if not self.cost.has_unions:
            return self.validator, self.cost
        if self.cost.asks_again:  # what a union has evaluated would not be known
            return None, None
        draft = jsonschema_rs.Draft7 if draft_of(self.schema) == DRAFT_7 else _DRAFT_2020

        def build(schema: dict[str, Any], **options: Any) -> jsonschema_rs.Validator:
            return _validator(schema, self.formats, draft=draft_of(self.schema), **options)

        brief = without_trees(self.schema, draft, build)
        return brief, cost_of(_without(self.schema, UNIONS), [])


def _until_large(
    errors: Iterable[jsonschema_rs.ValidationError],
) -> Iterator[jsonschema_rs.ValidationError]:
    """The errors until their places together are longer than MOST_CHARACTERS, at least one."""
    characters = 0
    for error in errors:
        yield error
        characters += sum(len(str(step)) for step in error.instance_path)
        if characters > MOST_CHARACTERS:
            return


_TAKES = (
    f"takes more than {MOST_STEPS:,} steps: send it flatter or in parts,"
    " or let the contract's `anyOf`, `oneOf` and `$ref` lead to less"
)
_DRAFT_2020 = jsonschema_rs.Draft202012


def _without(value: Any, keywords: tuple[str, ...]) -> Any:
    """A schema without some keywords, wherever in it they are."""
    if isinstance(value, list):
        return [_without(one, keywords) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _without(one, keywords) for key, one in value.items() if key not in keywords}


def schema_faults(schema: dict[str, object]) -> list[Fault]:
    """Where a schema is not one of its draft: then nothing else can be said of it."""
    return _draft_faults(schema) or _metaschema_faults(schema)


def compile_contract(
    schema: dict[str, object], formats: Formats, faults: list[Fault]
) -> Contract | None:
    """The contract of a schema without `schema_faults`, or None where faults were added.

    Formats are asserted or not whatever the draft says: draft 7 asserts them by default and
    2020-12 does not.
    """
    found = reference_faults(schema)
    if formats == "assert":
        found += _format_faults(schema)
    if not found:
        cost = cost_of(schema, found)
    if not found and cost:
        try:
            validator = _validator(schema, formats)
            return Contract(
                schema=schema,
                formats=formats,
                validator=validator,
                places=Places(schema),
                cost=cost,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            problem = shorten(str(error).splitlines()[0], LONGEST_MESSAGE)
            found = [Fault(path="contract", problem=problem, fix="write a valid JSON Schema")]
    faults.extend(found)
    return None


def _validator(
    schema: Mapping[str, Any], formats: Formats, *, draft: str | None = None, **options: Any
) -> jsonschema_rs.Validator:
    return _DRAFTS[draft or draft_of(schema) or DRAFT_2020](
        dict(schema),
        validate_formats=formats == "assert",
        offline=True,
        mask=MASK,
        pattern_options=_PATTERNS,
        email_options=_EMAILS,
        **options,
    )


def _draft_faults(schema: dict[str, object]) -> list[Fault]:
    if draft_of(schema):
        return []
    return [
        Fault(
            path="contract.$schema",
            problem=f"{abbreviate(schema['$schema'])} is not a draft that is taken here",
            fix=f"write {DRAFT_2020} or {DRAFT_7}",
        )
    ]


def _metaschema_faults(schema: dict[str, object]) -> list[Fault]:
    draft = draft_of(schema) or DRAFT_2020
    faults: dict[str, Fault] = {}
    for error in islice(_checker(draft).iter_errors(schema), MOST_VIOLATIONS):
        path = dotted(("contract", *error.instance_path))
        keyword = str(error.instance_path[-1] if error.instance_path else "")
        problem, fix = worded(error), _SCHEMA_FIXES.get(keyword, "write what JSON Schema has there")
        if said := shorthand_fault(schema, error.instance_path):
            problem, fix = said
        faults.setdefault(path, Fault(path=path, problem=problem, fix=fix))
    return list(faults.values())


@cache
def _checker(draft: str) -> jsonschema_rs.Validator:
    """What a schema of a draft is held against; it takes longer to make than to ask."""
    return _DRAFTS[draft]({"$ref": draft}, validate_formats=True, offline=True, mask=MASK)


_SCHEMA_FIXES = {
    "type": "write array, boolean, integer, null, number, object or string, or a list of these",
    "required": "write a list of property names",
    "enum": "write a list of values",
    "properties": "write a mapping from property names to schemas",
    "additionalProperties": "write true, false or a schema",
    "pattern": "write a regular expression",
}


def _format_faults(schema: dict[str, object]) -> list[Fault]:
    faults = []
    for path, part in subschemas(schema):
        named = part.get("format")
        if isinstance(named, str) and named not in _FORMATS:
            faults.append(
                Fault(
                    path=dotted(("contract", *path, "format")),
                    problem=f"the format {named!r} is not known, so it would check nothing",
                    fix=f"{did_you_mean(named, _FORMATS)}, or set `formats: annotate`",
                )
            )
    return faults

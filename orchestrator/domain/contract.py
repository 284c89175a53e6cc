"""A contract: the JSON Schema that a payload must satisfy, compiled once and offline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import jsonschema_rs

from orchestrator.domain.abbreviate import abbreviate, shorten
from orchestrator.domain.contract_document import (
    DRAFT_7,
    DRAFT_2020,
    dotted,
    draft_of,
    reference_faults,
    subschemas,
)
from orchestrator.domain.contract_places import Places
from orchestrator.domain.errors import Fault
from orchestrator.domain.hints import did_you_mean
from orchestrator.domain.verdicts import Violation
from orchestrator.domain.violations import LONGEST_MESSAGE, MASK, describe, worded

Formats = Literal["assert", "annotate"]

MOST_VIOLATIONS = 1_000
"""Violations of one payload that are kept."""

_MOST_VALUES = 100_000
"""Values in a payload past which only the first violation is looked for.

The validator collects before it answers: half a million wrong items would take 9 s and 1 GB.
"""

_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)
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


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A compiled contract."""

    schema: dict[str, object]
    validator: jsonschema_rs.Validator
    places: Places  # of this schema

    def violations(self, payload: object) -> tuple[Violation, ...]:
        """Every way in which a payload breaks the contract, up to MOST_VIOLATIONS; () if none.

        They are those of a stock JSON Schema validator: a property that is not declared is a
        violation of the object that holds it.
        """
        if self.validator.is_valid(payload):
            return ()
        errors = islice(self._errors(payload), MOST_VIOLATIONS)
        return describe(tuple(errors), payload, self.schema, self.places)

    def _errors(self, payload: object) -> Iterable[jsonschema_rs.ValidationError]:
        if _has_more_values(payload, _MOST_VALUES):
            try:
                self.validator.validate(payload)
            except jsonschema_rs.ValidationError as first:
                return (first,)
        return self.validator.iter_errors(payload)


def schema_faults(schema: dict[str, object]) -> list[Fault]:
    """Where a schema is not one of its draft: then no more can be said of it."""
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
        try:
            validator = _validator(schema, formats)
            return Contract(schema=schema, validator=validator, places=Places(schema))
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            problem = shorten(str(error).splitlines()[0], LONGEST_MESSAGE)
            found = [Fault(path="contract", problem=problem, fix="write a valid JSON Schema")]
    faults.extend(found)
    return None


def _validator(schema: dict[str, object], formats: Formats) -> jsonschema_rs.Validator:
    return _DRAFTS[draft_of(schema) or DRAFT_2020](
        schema,
        validate_formats=formats == "assert",
        offline=True,
        mask=MASK,
        pattern_options=_PATTERNS,
        email_options=_EMAILS,
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
    checker = _DRAFTS[draft]({"$ref": draft}, validate_formats=True, offline=True, mask=MASK)
    faults: dict[str, Fault] = {}
    for error in islice(checker.iter_errors(schema), MOST_VIOLATIONS):
        path = dotted(("contract", *error.instance_path))
        keyword = error.instance_path[-1] if error.instance_path else ""
        fix = _SCHEMA_FIXES.get(str(keyword), "write what JSON Schema has there")
        problem = worded(error)
        faults.setdefault(path, Fault(path=path, problem=problem, fix=fix))
    return list(faults.values())


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


def _has_more_values(value: object, most: int) -> bool:
    todo, seen = [value], 0
    while todo and seen <= most:
        one = todo.pop()
        seen += 1
        if isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)
    return seen > most

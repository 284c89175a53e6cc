"""The mark `x-pii` of a part of a contract: what it may say, and where it is written wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from orchestrator.domain.contracts.document import Path, dotted, subschemas
from orchestrator.domain.contracts.keywords import PERSONAL
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.abbreviate import abbreviate, shorten

MARK = PERSONAL

ANY_KIND = ""
"""The kind of a mark that is `true`."""

_KIND = re.compile(r"[a-z](-?[a-z0-9]){0,29}")
_PLAIN = re.compile(r"[^a-z]")
_MEANT = frozenset(
    {"xpii", "pii", "xpi", "xppi", "ispii", "xpersonal", "personal", "xpersonaldata"}
)
_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SAY = "write `x-pii: true`, or the kind in one short word, such as `x-pii: email`"


def kind_marked(schema: Mapping[str, object]) -> str | None:
    """The kind that a schema's own mark says, ANY_KIND where it is only `true`; None without one.

    A mark that is written wrongly counts: what its author wanted to protect is protected.

    >>> kind_marked({"x-pii": "email"}), kind_marked({"x-pii": True}), kind_marked({"x-pii": False})
    ('email', '', None)
    """
    said = schema.get(MARK, False)
    if said is False:
        return None
    return said if isinstance(said, str) and _KIND.fullmatch(said) else ANY_KIND


def is_mark_misspelt(word: str) -> bool:
    """Whether a word of a schema was probably meant as the mark."""
    return word != MARK and _PLAIN.sub("", word.lower()) in _MEANT


def mark_faults(contract: Mapping[str, object]) -> list[Fault]:
    """Every mark that is written wrongly."""
    return [fault for path, schema in subschemas(contract) for fault in _faults_of(path, schema)]


def _faults_of(path: Path, schema: Mapping[str, object]) -> Iterator[Fault]:
    for word, said in schema.items():
        where = dotted(("contract", *path, word))
        if word == MARK and not (isinstance(said, bool) or _is_kind(said)):
            yield Fault(path=where, problem=f"{abbreviate(said)} is not a mark", fix=_SAY)
        elif is_mark_misspelt(word) and not isinstance(said, dict):
            problem = f"`{shorten(word)}` marks nothing as personal"
            yield Fault(path=where, problem=problem, fix=_SAY)
    for keyword in _BY_NAME:
        named = schema.get(keyword)
        said = named.get(MARK) if isinstance(named, dict) else None
        if said is not None and not isinstance(said, dict):
            yield Fault(
                path=dotted(("contract", *path, keyword, MARK)),
                problem=f"here `{MARK}` is a name, and marks nothing as personal",
                fix=f"write it beside `{keyword}`, or `{MARK}: {{}}` where it is a name",
            )


def _is_kind(said: object) -> bool:
    return isinstance(said, str) and bool(_KIND.fullmatch(said))

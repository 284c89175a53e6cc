"""Every action of a definition, judged by the vendor's documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from connectors.definition.references import is_reference
from connectors.http.definition import HttpAction, HttpDefinition
from tools.vendor_check.bodies import Surely
from tools.vendor_check.documents import Document, Operation
from tools.vendor_check.holding import faults_of_answer, faults_of_request, says_nothing_of_answer
from tools.vendor_check.operations import at_path, operation_of, parameters_in
from tools.vendor_check.requests import Sent, requests_of


class Result(StrEnum):
    """What the documents say of an action."""

    OK = "ok"
    DIFFERS = "differs"
    NO_DOCUMENT = "no document"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One action, and what was found."""

    action: str  # connector.action
    result: Result
    documents: tuple[Document, ...] = ()  # those that its requests were held against
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what could not be held against anything


@dataclass(frozen=True, kw_only=True)
class _Found:
    document: Document
    operation: Operation


def judge(definition: HttpDefinition, documents: Sequence[Document]) -> Iterator[Verdict]:
    """A verdict for each action, in the definition's order."""
    certain = [one for one in documents if _is_named_or_hosted(one, definition)]
    pool = certain + [
        one for one in documents if one not in certain and _says_in_title(one, definition)
    ]
    for name, action in definition.actions.items():
        yield _verdict(name, action, definition, pool, certain=bool(certain))


def _verdict(
    name: str,
    action: HttpAction,
    definition: HttpDefinition,
    pool: list[Document],
    *,
    certain: bool,
) -> Verdict:
    whole = f"{definition.connector}.{name}"
    sent = list(requests_of(action))
    if not any(one.path for one in sent):
        note = "its whole address is a setting"
        return Verdict(action=whole, result=Result.NO_DOCUMENT, notes=(note,))
    found = {one.name: _find(one, definition, pool) for one in sent}
    if not pool or not (certain or any(found.values())):
        return Verdict(action=whole, result=Result.NO_DOCUMENT)
    differences, notes = [], []
    for one in sent:
        at = found[one.name]
        faults = (
            [_missing(one, definition, pool)]
            if at is None
            else _faults(one, at, definition, action)
        )
        differences += [f"{one.name}: {fault}" for fault in faults]
        if at and says_nothing_of_answer(one, at.document, at.operation):
            notes.append(f"{one.name}: the document does not describe the answer")
    used = {at.document.file: at.document for at in found.values() if at}
    return Verdict(
        action=whole,
        result=Result.DIFFERS if differences else Result.OK,
        documents=tuple(used.values()),
        differences=tuple(differences),
        notes=tuple(notes),
    )


def _faults(sent: Sent, at: _Found, definition: HttpDefinition, action: HttpAction) -> list[str]:
    surely = Surely(fields=frozenset(action.required))
    return [
        *faults_of_request(sent, at.document, at.operation, surely, definition.headers),
        *faults_of_answer(sent, at.document, at.operation),
    ]


def _find(sent: Sent, definition: HttpDefinition, pool: list[Document]) -> _Found | None:
    """The operation in the version that the definition names, or else in the newest.

    A path that is written out comes before one with a parameter there, whatever its version.
    """
    found = [
        _Found(document=document, operation=operation)
        for document in pool
        if (operation := operation_of(document, sent.method, sent.path, _base(definition)))
    ]
    named = set(definition.headers.values())
    return max(
        found,
        key=lambda one: (
            one.document.version in named,
            -parameters_in(one.operation.path),
            *_order(one.document),
        ),
        default=None,
    )


def _missing(sent: Sent, definition: HttpDefinition, pool: list[Document]) -> str:
    there = sorted(
        {
            one.method.upper()
            for document in pool
            for one in at_path(document, sent.path, _base(definition))
        }
    )
    asked = f"{sent.method.upper()} {sent.path}"
    if there:
        return f"{asked} is not in the document, which has {', '.join(there)}"
    return f"{asked} is in none of {', '.join(sorted(one.file for one in pool))}"


def _order(document: Document) -> tuple[list[int], str]:
    return [int(part) for part in re.findall(r"\d+", document.version)], document.file


def _base(definition: HttpDefinition) -> str:
    return "" if is_reference(definition.base_url) else urlsplit(definition.base_url).path


def _is_named_or_hosted(document: Document, definition: HttpDefinition) -> bool:
    """Whether its file or its folder begins with the connector's name, or it has the same host."""
    name = _words(definition.connector)
    parts = document.file.split("/")
    if any(_words(part)[: len(name)] == name for part in (parts[0], parts[-1])):
        return True
    if is_reference(definition.base_url):
        return False
    return urlsplit(definition.base_url).netloc in document.hosts()


def _says_in_title(document: Document, definition: HttpDefinition) -> bool:
    return set(_words(definition.connector)) <= set(_words(document.title))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())

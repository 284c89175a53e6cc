"""Findings as those may read them who see no payloads: in alerts, and on pages without a login."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from orchestrator.domain.contracts.places import Places
from orchestrator.domain.documents.json_pointer import pointer_steps
from orchestrator.domain.drift.finding import Finding, placed

_LONGEST_NAME = 200  # characters, as in the title of an incident
_PLAIN = re.compile(r"[\w.*/~-]*")
_MOST_DIGITS = 6  # more of them are a number of something, such as a telephone


def bare_finding(finding: Finding, places: Places | None) -> Finding:
    """The finding without evidence, and without names that may be keys of a sender's making."""
    to = None if finding.to is None else _named(finding.to, places)
    return replace(finding, path=_named(finding.path, places), to=to, evidence=())


def change_key(finding: Finding) -> str:
    """What makes two findings the same change, as a digest: it holds no name."""
    named = "\0".join((finding.kind, finding.path, finding.to or ""))
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def _named(path: str, places: Places | None) -> str:
    """A place, as long as it reads like names: a sender may make keys of mail addresses."""
    plain = len(path) <= _LONGEST_NAME and _PLAIN.fullmatch(path)
    if not plain or sum(map(str.isdigit, path)) >= _MOST_DIGITS:
        return "a field"
    if places is None:
        return path
    pointed = path.startswith("/")
    steps = pointer_steps(path)
    return placed(places.readable(steps if pointed else path.split(".") if path else []))

"""A source's YAML file, read with every fault that is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from connectors.sources.building import build
from connectors.sources.definition import (
    DeclaredForm,
    DeclaredHmac,
    DeclaredLimits,
    DeclaredOwners,
    DeclaredRate,
    DeclaredSignature,
    SourceDefinition,
)
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.model_faults import Place, model_faults
from orchestrator.domain.documents.text_files import read_text
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.sources.source import Source
from orchestrator.domain.text.hints import did_you_mean

SHIPPED = Path(__file__).parent / "definitions"

_MODELS: Mapping[Place, type[BaseModel]] = {
    (): SourceDefinition,
    ("owners",): DeclaredOwners,
    ("signature",): DeclaredSignature,
    ("signature", "hmac"): DeclaredHmac,
    ("form",): DeclaredForm,
    ("limits",): DeclaredLimits,
    ("limits", "rate"): DeclaredRate,
}
_EXAMPLES: Mapping[Place, str] = {
    ("source",): "source: acme-github",
    ("client",): "client: acme",
    ("owners",): "owners: {owner: ops@acme.example, recovery_lead: triage@acme.example}",
    ("signature",): "signature: {hmac: {header: X-Signature}}, or extends: standard-webhooks",
    ("secrets",): "secrets: [env:ACME_GITHUB_SECRET]",
    ("type",): 'type: "shop.{body.type}"',
}


def read_source(path: Path) -> Source:
    """The source of a file. Raises InvalidFile with every fault."""
    text = read_text(path, strict_yaml.MOST_BYTES, name_one="make it a readable file")
    return parse_source(text, name=str(path))


def parse_source(text: str, *, name: str) -> Source:
    """The source of a text; `name` is what errors call it. Raises InvalidFile."""
    document = strict_yaml.parse(text)
    raw = document.value
    if not isinstance(raw, dict):
        fault = Fault(path="", problem="it is not a mapping", fix="write `source: NAME` first")
        raise InvalidFile(name, document.faults or [fault])
    faults: list[Fault] = list(document.faults)
    if "extends" in raw:
        base = shipped_sources().get(str(raw["extends"]))
        if base is None:
            fix = did_you_mean(str(raw["extends"]), shipped_sources())
            faults.append(Fault(path="extends", problem="no such source is shipped", fix=fix))
            base = {}
        raw = {**base, **{key: value for key, value in raw.items() if key != "extends"}}
    definition, found = _model(raw)
    placed = [replace(one, line=document.line(one.path)) for one in (*faults, *found)]
    if placed or definition is None:
        raise InvalidFile(name, sorted(placed, key=lambda one: one.line or 0))
    return build(definition, file=name)


def _model(raw: Mapping[str, Any]) -> tuple[SourceDefinition | None, list[Fault]]:
    try:
        definition = SourceDefinition.model_validate_json(orjson.dumps(raw))
    except ValidationError as error:
        return None, model_faults(error, _MODELS, _EXAMPLES)
    return definition, _misfits(definition)


def _misfits(said: SourceDefinition) -> list[Fault]:
    """What is right in itself and does not fit together."""
    faults = []
    schemes = said.signature.said
    if said.form is not None:
        return _misfits_of_form(said)
    if not said.secrets:
        fix = _EXAMPLES["secrets",]
        faults.append(Fault(path="secrets", problem="it is missing", fix=f"add `{fix}`"))
    if len(schemes) != 1:
        names = ", ".join(DeclaredSignature.model_fields)
        fix = f"name one of: {names}"
        faults.append(Fault(path="signature", problem="it does not name one scheme", fix=fix))
    hmac = said.signature.hmac
    signed = "" if hmac is None else hmac.signed
    if said.public_url is None and ("url}" in signed or schemes == ["twilio"]):
        problem = "the vendor signs the address that it calls, which a proxy may change"
        fix = f"write public_url: https://YOUR-HOST/v1/hooks/{said.source}"
        faults.append(Fault(path="public_url", problem=problem, fix=fix))
    if "{timestamp}" in signed and hmac and hmac.layout != "pairs" and hmac.timestamp is None:
        fix = "write timestamp: {header: X-Timestamp}"
        problem = "what is signed holds a time, and no header is named for it"
        faults.append(Fault(path="signature.hmac.timestamp", problem=problem, fix=fix))
    return faults


def _misfits_of_form(said: SourceDefinition) -> list[Fault]:
    faults = []
    if said.signature.said or said.secrets:
        problem = "a form of a page cannot keep a secret"
        fix = "take `signature` and `secrets` out: the key of the form is in `form`"
        faults.append(Fault(path="form", problem=problem, fix=fix))
    if "{" in said.type or "[" in said.type:
        problem = "the key of a form is for one type"
        fix = "write a type such as contact.submitted"
        faults.append(Fault(path="type", problem=problem, fix=fix))
    return faults


@cache
def shipped_sources() -> Mapping[str, dict[str, Any]]:
    """What is shipped, by the name that `extends` gives; each lacks client, owners and secrets."""
    found = {}
    for path in sorted(SHIPPED.glob("*.yaml")):
        raw = strict_yaml.parse(path.read_text("utf-8")).value
        if isinstance(raw, dict):
            found[str(raw.pop("source"))] = raw
    return found

"""A saved request of each shipped source, with the secret that it was signed with."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from connectors.sources.file import parse_source
from orchestrator.cli.sources.saved_request import parse_request
from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.source import Source

REQUESTS = Path(__file__).parent / "connectors" / "sources" / "requests"
SAVED = tuple(sorted(path.stem for path in REQUESTS.glob("*.http")))
SIGNED_AT = 1_700_000_000.0  # 2023-11-14T22:13:20Z
SECRET = "a-secret-of-the-tests"
SECRETS = {
    "standard-webhooks": "whsec_dHdlbnR5LWZvdXIgYnl0ZXMgb2Yga2V5",
    "basic": f"acme:{SECRET}",
}
"""Where the secret has a form of its own."""


def secret_for(name: str) -> str:
    """The secret that a source's saved request was signed with."""
    return SECRETS.get(name, SECRET)


def source_text(name: str, *, extends: str | None = None, more: str = "") -> str:
    """The file of a source of acme that extends a shipped one."""
    return f"""\
source: {name}
extends: {extends or name}
client: acme
owners: {{owner: ops@acme.example, recovery_lead: triage@acme.example}}
secrets: [env:MESHLINE_HOOK_SECRET]
public_url: https://hooks.acme.example/v1/hooks/{name}
{more}"""


@cache
def source(name: str, *, more: str = "") -> Source:
    """A source of acme that extends a shipped one."""
    return parse_source(source_text(name, more=more), name=f"{name}.yaml")


def saved(name: str) -> HookRequest:
    """The saved request of a shipped source."""
    raw = (REQUESTS / f"{name}.http").read_bytes()
    return parse_request(raw, public_url=f"https://hooks.acme.example/v1/hooks/{name}")


def with_header(request: HookRequest, name: str, value: str) -> HookRequest:
    """The request with another header."""
    return replace(request, headers={**request.headers, name.lower(): value})


FORM_KEY = "pk_4hT9s0Jm2QwErTyUiOp1"
PAGE = "https://www.acme.example"
FORM = f"""\
source: contact
title: The contact form
client: acme
owners: {{owner: ops@acme.example, recovery_lead: triage@acme.example}}
form:
  key: {FORM_KEY}
  origins: ["{PAGE}"]
  honeypot: website
  redirect: {PAGE}/thanks
limits: {{rate: {{calls: 5, per: 1h}}}}
type: lead.created
idempotency_key: "{{body.form_id}}"
"""

"""Where an HTTP system is and how we prove who we are there, from a definition's references."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from connectors.definition import Auth, HttpDefinition
from connectors.references import UnresolvedReference, is_reference, resolve


@dataclass(frozen=True, kw_only=True)
class Site:
    """A definition with its references followed."""

    base_url: str  # without a closing "/"
    headers: Mapping[str, str]
    secrets: tuple[str, ...]  # what no error may show


def resolve_site(definition: HttpDefinition, folder: Path | None) -> Site:
    """Follow every reference of a definition. Raises UnresolvedReference."""
    base_url = resolve(definition.base_url, folder=folder).rstrip("/")
    fault = base_url_fault(base_url)
    if fault:
        raise UnresolvedReference(f"{definition.base_url} leads to an address that {fault}")
    proof, secrets = _authenticate(definition.auth, folder)
    if not all(value.isascii() for value in proof.values()):
        raise UnresolvedReference("a secret holds a character that a header cannot carry")
    if is_reference(definition.base_url):
        secrets = (*secrets, base_url)  # the address of an incoming webhook is itself a secret
    headers = {"Accept": "application/json", **definition.headers, **proof}
    return Site(base_url=base_url, headers=headers, secrets=secrets)


def base_url_fault(base_url: str) -> str | None:
    """What is wrong with an address, as the end of a sentence; None where nothing is."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        return "cannot be read as a URL"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "is not http://host or https://host"
    if parts.username is not None or parts.password is not None:
        return "holds a login, which belongs under `auth`"
    if parts.query or parts.fragment or not base_url.isascii() or " " in base_url:
        return "holds more than scheme, host, port and path"
    return None


def _authenticate(auth: Auth, folder: Path | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """The headers that prove who we are, and the secrets in them."""
    if auth.bearer:
        token = resolve(auth.bearer, folder=folder)
        return {"Authorization": f"Bearer {token}"}, (token,)
    if auth.basic:
        user = resolve(auth.basic.user, folder=folder)
        password = resolve(auth.basic.password, folder=folder)
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        return {"Authorization": f"Basic {login}"}, (login, password)
    if auth.header:
        value = resolve(auth.header.value, folder=folder)
        return {auth.header.name: value}, (value,)
    return {}, ()

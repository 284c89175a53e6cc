"""Where an HTTP system is and how we prove who we are there, from a definition's references."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from connectors.definition_http import Auth, HttpDefinition, OAuth2
from connectors.oauth import OAuthLogin
from connectors.references import UnresolvedReference, is_reference, resolve, spellings
from connectors.signing import Signer, plain_hmac, standard_webhooks


@dataclass(frozen=True, kw_only=True)
class Site:
    """A definition with its references followed."""

    base_url: str
    headers: Mapping[str, str]
    named: Mapping[str, str]  # secrets that templates name
    masks: frozenset[str]  # what no error may show
    signer: Signer | None = None
    login: OAuthLogin | None = None

    def url(self, target: str) -> str:
        """The address of a path with its query; without a path the base URL as it is.

        Raises UnresolvedReference where the base URL holds a query, and a path would follow it.
        """
        if "?" in self.base_url:
            if target and not target.startswith("?"):
                raise UnresolvedReference('base_url holds a query, so `path` must be ""')
            return self.base_url + target.replace("?", "&", 1)
        base = self.base_url if not target or target.startswith("?") else self.base_url.rstrip("/")
        return base + target


@dataclass(frozen=True, kw_only=True)
class _Proof:
    """What shows who we are."""

    headers: Mapping[str, str]
    secrets: tuple[str, ...]
    signer: Signer | None = None
    login: OAuthLogin | None = None


def resolve_site(definition: HttpDefinition, folder: Path | None) -> Site:
    """Follow every reference of a definition. Raises UnresolvedReference."""
    private = definition.private_network
    base_url = _address(definition.base_url, folder, private=private)
    proof = _prove(definition.auth, folder, private=private)
    if not all(value.isascii() for value in proof.headers.values()):
        raise UnresolvedReference("a secret holds a character that a header cannot carry")
    named = {name: resolve(ref, folder=folder) for name, ref in definition.secrets.items()}
    secrets = {*proof.secrets, *named.values()}
    if is_reference(definition.base_url):
        # The address of an incoming webhook is itself a secret.
        secrets |= {base_url, base_url.rstrip("/")}
    return Site(
        base_url=base_url,
        headers={"Accept": "application/json", **definition.headers, **proof.headers},
        named=named,
        masks=frozenset().union(*map(spellings, secrets)),
        signer=proof.signer,
        login=proof.login,
    )


def url_fault(url: str, *, private: bool) -> str | None:
    """What is wrong with an address, as the end of a sentence; None where nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "cannot be read as a URL"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "is not http://host or https://host"
    if parts.scheme == "http" and not private:
        return "is not https, which only `private_network: true` allows"
    if parts.username is not None or parts.password is not None:
        return "holds a login, which belongs under `auth`"
    if parts.fragment or not url.isascii() or " " in url:
        return "holds more than scheme, host, port, path and query"
    return None


def _address(said: str, folder: Path | None, *, private: bool) -> str:
    url = resolve(said, folder=folder)
    if fault := url_fault(url, private=private):
        raise UnresolvedReference(f"{said} leads to an address that {fault}")
    return url


def _prove(auth: Auth, folder: Path | None, *, private: bool) -> _Proof:
    """What shows who we are, with the secrets in it."""
    if auth.oauth2:
        login = _login(auth.oauth2, folder, private=private)
        return _Proof(headers={}, secrets=login.secrets, login=login)
    if auth.standard_webhooks or auth.hmac:
        return _signing(auth, folder)
    headers, secrets = _authenticate(auth, folder)
    return _Proof(headers=headers, secrets=secrets)


def _authenticate(auth: Auth, folder: Path | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """The headers that prove who we are, and the secrets in them."""
    if auth.bearer:
        token = resolve(auth.bearer, folder=folder)
        return {"Authorization": f"Bearer {token}"}, (token,)
    if auth.basic:
        user = resolve(auth.basic.user, folder=folder)
        password = resolve(auth.basic.password, folder=folder) if auth.basic.password else ""
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        # Without a password the user is the secret: a key.
        return {"Authorization": f"Basic {login}"}, (login, password or user)
    if auth.header:
        value = resolve(auth.header.value, folder=folder)
        return {auth.header.name: auth.header.prefix + value}, (value,)
    return {}, ()


def _signing(auth: Auth, folder: Path | None) -> _Proof:
    if auth.hmac:
        said = auth.hmac
        secret = resolve(said.secret, folder=folder)
        signer = plain_hmac(
            secret, header=said.header, algorithm=said.algorithm, prefix=said.prefix
        )
        return _Proof(headers={}, secrets=(secret,), signer=signer)
    reference = auth.standard_webhooks or ""
    secret = resolve(reference, folder=folder)
    try:
        signer = standard_webhooks(secret)
    except ValueError as error:
        raise UnresolvedReference(f"{reference} {error}") from None
    return _Proof(headers={}, secrets=(secret, secret.removeprefix("whsec_")), signer=signer)


def _login(said: OAuth2, folder: Path | None, *, private: bool) -> OAuthLogin:
    def followed(reference: str | None) -> str | None:
        return resolve(reference, folder=folder) if reference else None

    return OAuthLogin(
        grant=said.grant,
        token_url=_address(said.token_url, folder, private=private),
        client_id=resolve(said.client_id, folder=folder),
        client_secret=followed(said.client_secret),
        refresh_token=followed(said.refresh_token),
        scope=said.scope,
        send_as=said.send_as,
    )

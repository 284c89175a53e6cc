"""Where an HTTP system is and how we prove who we are there, from a definition's references."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from connectors.definition.references import UnresolvedReference, is_reference, resolve
from connectors.http.definition import Auth, Basic, HttpDefinition, OAuth2
from connectors.http.oauth.login import OAuthLogin
from connectors.http.placeholders.values import InvalidTemplate, Unfillable, Values, placeholder
from connectors.http.wire.signing import Signer, plain_hmac, standard_webhooks
from orchestrator.domain.text.masking import address_spellings, pair_spellings, spellings

_FILTERED_SECRET = re.compile(r"\{(secret\.\w+(?:\|\w+)+)\}")
_ENCODED = "%/:@!$&'()*+,;=?~-._[]"  # allowed in a path and a query without encoding


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

    def beside(self, asked: str, address: str) -> str | None:
        """An address that an answer to `asked` has, on this site; None where it is elsewhere.

        Scheme and port are the site's own: behind a proxy many tools name others.
        """
        try:
            found, base = urlsplit(urljoin(asked, address.strip())), urlsplit(self.base_url)
        except ValueError:
            return None
        if found.scheme not in ("http", "https") or found.hostname != base.hostname:
            return None
        path, query = (quote(part, safe=_ENCODED) for part in (found.path, found.query))
        return f"{base.scheme}://{base.netloc}{path}{f'?{query}' if query else ''}"


@dataclass(frozen=True, kw_only=True)
class _Proof:
    """What shows who we are."""

    headers: Mapping[str, str]
    masks: frozenset[str]
    signer: Signer | None = None
    login: OAuthLogin | None = None


def resolve_site(definition: HttpDefinition, folder: Path | None) -> Site:
    """Follow every reference of a definition. Raises UnresolvedReference."""
    private = definition.private_network
    base_url = _address(definition.base_url, folder, private=private)
    proof = _prove(definition, folder)
    if not all(value.isascii() for value in proof.headers.values()):
        raise UnresolvedReference("a secret holds a character that a header cannot carry")
    named = {name: resolve(ref, folder=folder) for name, ref in definition.secrets.items()}
    masks = proof.masks.union(*map(spellings, named.values()), _filtered(definition, named))
    if is_reference(definition.base_url):
        # The address of an incoming webhook is itself a secret, and so is each part of it.
        masks |= address_spellings(base_url)
    return Site(
        base_url=base_url,
        headers={"Accept": "application/json", **definition.headers, **proof.headers},
        named=named,
        masks=masks,
        signer=proof.signer,
        login=proof.login,
    )


def _filtered(definition: HttpDefinition, named: Mapping[str, str]) -> frozenset[str]:
    """What the filters of templates make of secrets, which is as secret."""
    found: set[str] = set()
    for source in set(_FILTERED_SECRET.findall(definition.model_dump_json())):
        try:
            _, fill = placeholder(source)
            found |= spellings(str(fill(Values(key="", send={}, secrets=named))))
        except (InvalidTemplate, Unfillable, KeyError):
            continue  # then no request is filled with it either
    return frozenset(found)


def shares_tokens(definition: HttpDefinition) -> bool:
    """Whether a definition's login is one that all processes share: it has a refresh token."""
    login = definition.auth.oauth2
    return login is not None and login.grant == "refresh_token"


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


def _prove(definition: HttpDefinition, folder: Path | None) -> _Proof:
    """What shows who we are, with the secrets in it."""
    auth = definition.auth
    if auth.oauth2:
        login = _login(definition, auth.oauth2, folder)
        masks = login.masks
        if is_reference(auth.oauth2.token_url):
            masks |= address_spellings(login.token_url)
        return _Proof(headers={}, masks=masks, login=login)
    if auth.standard_webhooks or auth.hmac:
        return _signing(auth, folder)
    headers, masks = _authenticate(auth, folder)
    return _Proof(headers=headers, masks=masks)


def _authenticate(auth: Auth, folder: Path | None) -> tuple[dict[str, str], frozenset[str]]:
    """The headers that prove who we are, and what no error may show of them."""
    if auth.bearer:
        token = resolve(auth.bearer, folder=folder)
        return {"Authorization": f"Bearer {token}"}, spellings(token)
    if auth.basic:
        user, password = _basic(auth.basic, folder)
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        # Without a password the user is the secret: a key.
        masks = spellings(login) | pair_spellings(user, password)
        return {"Authorization": f"Basic {login}"}, masks if password else masks | spellings(user)
    if auth.header:
        value = resolve(auth.header.value, folder=folder)
        return {auth.header.name: auth.header.prefix + value}, spellings(value)
    return {}, frozenset()


def _basic(said: Basic, folder: Path | None) -> tuple[str, str]:
    if not said.password:
        return resolve(said.user, folder=folder), ""
    password = resolve(said.password, folder=folder)
    return resolve(said.user, folder=folder), password


def _signing(auth: Auth, folder: Path | None) -> _Proof:
    if auth.hmac:
        said = auth.hmac
        secret = resolve(said.secret, folder=folder)
        signer = plain_hmac(
            secret, header=said.header, algorithm=said.algorithm, prefix=said.prefix
        )
        return _Proof(headers={}, masks=spellings(secret), signer=signer)
    reference = auth.standard_webhooks or ""
    secret = resolve(reference, folder=folder)
    try:
        signer = standard_webhooks(secret)
    except ValueError as error:
        raise UnresolvedReference(f"{reference} {error}") from None
    masks = spellings(secret) | spellings(secret.removeprefix("whsec_"))
    return _Proof(headers={}, masks=masks, signer=signer)


def _login(definition: HttpDefinition, said: OAuth2, folder: Path | None) -> OAuthLogin:
    def followed(reference: str | None) -> str | None:
        return resolve(reference, folder=folder) if reference else None

    return OAuthLogin(
        connector=definition.connector,
        grant=said.grant,
        token_url=_address(said.token_url, folder, private=definition.private_network),
        client_id=resolve(said.client_id, folder=folder),
        client_secret=followed(said.client_secret),
        refresh_token=followed(said.refresh_token),
        scope=said.scope,
        send_as=said.send_as,
    )

"""The login by the company's identity provider: there, and back with a code.

State, nonce and verifier are made of one random secret, which only the browser keeps, in a cookie:
nothing is stored for logins that strangers begin and never end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit

from connectors.definition.references import UnresolvedReference, resolve
from orchestrator.dashboard.access.id_token import Expected, Identity, read_id_token
from orchestrator.dashboard.access.local_paths import local_path
from orchestrator.dashboard.access.provider import Provider
from orchestrator.domain.errors import LoginRefused, StartupFailed
from orchestrator.operations.access.tokens import new_secret
from orchestrator.settings import Settings

_BACK = "/login/company/back"


@dataclass(frozen=True, kw_only=True)
class CompanyLogin:
    """What the settings say of it."""

    name: str  # as the button shows it
    provider: Provider
    back: str  # the address to which the provider leads back
    mail_claim: str
    domains: tuple[str, ...]

    async def begin(self, back: str) -> tuple[str, str]:
        """Where to send the browser, and what it keeps. Raises LoginRefused."""
        secret = new_secret()
        challenge = hashlib.sha256(_part("verifier", secret).encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.provider.client,
            "redirect_uri": self.back,
            "scope": "openid email profile",
            "state": _part("state", secret),
            "nonce": _part("nonce", secret),
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        address = (await self.provider.addresses())["authorization_endpoint"]
        joint = "&" if urlsplit(address).query else "?"
        return f"{address}{joint}{urlencode(asked)}", f"{secret}.{quote(local_path(back), safe='')}"

    async def end(self, kept: str, *, state: str, code: str) -> tuple[Identity, str]:
        """Who came back, and the page that they asked for. Raises LoginRefused."""
        secret, _, back = kept.partition(".")
        right = _part("state", secret).encode()
        if not secret or not hmac.compare_digest(right, state.encode("utf-8", "surrogatepass")):
            raise LoginRefused(
                "this login was not begun in this browser, or too long ago", fix="log in again"
            )
        verifier = _part("verifier", secret)
        token = await self.provider.redeem(code, verifier=verifier, back=self.back)
        expected = Expected(
            issuer=(await self.provider.addresses())["issuer"],
            client=self.provider.client,
            nonce=_part("nonce", secret),
            mail_claim=self.mail_claim,
            domains=self.domains,
        )
        found = read_id_token(token, await self.provider.keys(), expected)
        return found, local_path(unquote(back))


def company_login_of(settings: Settings) -> CompanyLogin | None:
    """The login that the settings name, if any. Raises StartupFailed."""
    issuer, client = settings.oidc_issuer, settings.oidc_client_id
    if issuer is None or client is None:
        return None
    if importlib.util.find_spec("joserfc") is None:
        raise StartupFailed("MESHLINE_OIDC_ISSUER needs the extra `oidc`: install joserfc")
    given = settings.oidc_client_secret
    try:
        secret = resolve(given.get_secret_value()) if given else ""
    except UnresolvedReference as error:
        raise StartupFailed(f"MESHLINE_OIDC_CLIENT_SECRET: {error}") from None
    domains = [one.strip().lower() for one in settings.oidc_domains.split(",")]
    return CompanyLogin(
        name=settings.oidc_name or urlsplit(issuer).hostname or issuer,
        provider=Provider(
            issuer=issuer.rstrip("/"),
            client=client,
            secret=secret,
            seconds=settings.oidc_timeout_seconds,
        ),
        back=f"{settings.pages_url}{_BACK}",
        mail_claim=settings.oidc_mail_claim,
        domains=tuple(one for one in domains if one),
    )


def _part(name: str, secret: str) -> str:
    """What is sent in place of the secret: nobody finds it, or another part, by this one."""
    digest = hmac.new(secret.encode("utf-8", "surrogatepass"), name.encode(), hashlib.sha256)
    return digest.hexdigest()

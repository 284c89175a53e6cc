"""What the provider's ID token says, once everything about it was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from orchestrator.domain.errors import LoginRefused

# Signatures alone: `none` says nothing, and HS256 would take a public key for a secret.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519")
_LEEWAY = 60  # seconds that two clocks may differ


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a token has to say."""

    issuer: str
    client: str
    nonce: str
    mail_claim: str
    domains: tuple[str, ...]  # of mail addresses; none: any


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom a token names."""

    subject: str
    mail: str  # verified by the provider


def read_id_token(token: str, keys: Mapping[str, object], expected: Expected) -> Identity:
    """Whom a token names. `keys` are the provider's, as a JWKS. Raises LoginRefused."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
    from joserfc.jwt import JWTClaimsRegistry, decode

    rules = JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client},
        nonce={"essential": True, "value": expected.nonce},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        key_set = KeySet.import_key_set(cast("Any", keys))
        claims = decode(token, key_set, algorithms=list(_ALGORITHMS)).claims
        rules.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _refused(f"the provider's token is not good ({type(error).__name__})") from None
    if claims.get("azp", expected.client) != expected.client:
        raise _refused("the provider's token was made for somebody else")
    subject, mail = claims["sub"], claims.get(expected.mail_claim)
    if not isinstance(subject, str) or not subject or not isinstance(mail, str) or "@" not in mail:
        raise _refused(f"the provider names no person with a mail address in {expected.mail_claim}")
    if claims.get("email_verified") is not True:
        raise _refused("the provider has not verified the mail address")
    if expected.domains and mail.rpartition("@")[2].lower() not in expected.domains:
        raise _refused("the mail address is not of a domain that may log in here")
    return Identity(subject=subject, mail=mail)


def _refused(why: str) -> LoginRefused:
    return LoginRefused(why, field="token", fix="try again, or ask an admin")

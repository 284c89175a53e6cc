"""The source that a definition declares."""

from __future__ import annotations

from connectors.sources.definition import DeclaredForm, DeclaredHmac, SourceDefinition
from orchestrator.domain.sources.reading import FormRules, Handshake, Rules
from orchestrator.domain.sources.schemes import (
    Basic,
    FormKey,
    Hmac,
    Scheme,
    SecretPath,
    Token,
    Twilio,
)
from orchestrator.domain.sources.source import Answer, Source, SourceLimits, SourceOwners
from orchestrator.domain.sources.wording import wording

_ALWAYS_KEPT = ("content-type", "user-agent")

# A vendor proves who it is and some send bursts, which few of them repeat; the key of a form is
# for everybody.
_LIMITS = SourceLimits(rate=6_000, per_seconds=60.0, quota_per_day=1_000_000)
_LIMITS_OF_FORM = SourceLimits(rate=60, per_seconds=60.0, quota_per_day=10_000)


def build(said: SourceDefinition, *, file: str) -> Source:
    """The source; `file` is the path of the file that declares it."""
    owners = said.owners
    return Source(
        name=said.source,
        title=said.title,
        client=said.client,
        owners=SourceOwners(
            owner=owners.owner,
            recovery_lead=owners.recovery_lead,
            approver=owners.approver or owners.owner,
            backstop=owners.backstop or owners.owner,
        ),
        recover_within=said.recover_within,
        scheme=_scheme(said),
        # The key of a form is no secret: it is written in the file as it is.
        secrets=said.secrets if said.form is None else (said.form.key,),
        rules=_rules(said),
        public_url=said.public_url,
        keep_headers=tuple(dict.fromkeys((*_ALWAYS_KEPT, *said.keep_headers))),
        answer=Answer(
            status=said.answer.status, media_type=said.answer.media_type, body=said.answer.body
        ),
        limits=_limits(said),
        file=file,
    )


def _limits(said: SourceDefinition) -> SourceLimits:
    usual = _LIMITS if said.form is None else _LIMITS_OF_FORM
    rate, quota = said.limits.rate, said.limits.quota
    return SourceLimits(
        rate=usual.rate if rate is None else rate.calls,
        per_seconds=usual.per_seconds if rate is None else rate.per_seconds,
        quota_per_day=quota or usual.quota_per_day,
    )


def _form(said: DeclaredForm) -> FormRules:
    return FormRules(
        origins=said.origins,
        honeypot=said.honeypot,
        redirect=said.redirect,
        on_error=said.on_error,
    )


def _rules(said: SourceDefinition) -> Rules:
    return Rules(
        source=said.source,
        type=wording(said.type),
        key=None if said.idempotency_key is None else wording(said.idempotency_key),
        split=said.split,
        payload_field=said.payload_field,
        volatile=said.volatile,
        handshakes=tuple(
            Handshake(
                when=tuple(one.when.items()),
                answer=None if one.answer is None else wording(one.answer),
            )
            for one in said.handshakes
        ),
        form=None if said.form is None else _form(said.form),
    )


def _scheme(said: SourceDefinition) -> Scheme:
    signature = said.signature
    if said.form is not None:
        return FormKey(origins=said.form.origins)
    if signature.hmac is not None:
        return _hmac(signature.hmac)
    if signature.token is not None:
        return Token(header=signature.token.header, prefix=signature.token.prefix)
    if signature.basic is not None:
        return Basic()
    return Twilio() if signature.twilio is not None else SecretPath()


def _hmac(said: DeclaredHmac) -> Hmac:
    stamp = said.timestamp
    plain = Hmac(header=said.header)
    return Hmac(
        header=said.header,
        signed=said.signed,
        algorithm=said.algorithm,
        encoding=said.encoding,
        layout=said.layout,
        prefix=said.prefix,
        base64_secret=said.base64_secret,
        timestamp_header=None if stamp is None else stamp.header,
        timestamp_unit=plain.timestamp_unit if stamp is None else stamp.unit,
        tolerance_seconds=said.tolerance_seconds,
    )

"""Log in by the company's identity provider: it says who somebody is, the store who may come in.

The first login by a verified mail address binds the provider's subject to the person. From then on
the subject decides: an address may be given to somebody else, a subject never is.
"""

from __future__ import annotations

import hashlib

from orchestrator.domain.access.actor import name_of_person
from orchestrator.domain.errors import LoginRefused, NotFound
from orchestrator.domain.text.addresses import in_small_letters
from orchestrator.operations.access.log_in import LoggedIn, begin_session
from orchestrator.operations.access.tokens import digest_of_secret
from orchestrator.store.access import people as rows
from orchestrator.store.access.sessions import end_session
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_people
from orchestrator.store.database.prepared import storable

_LONGEST = 255  # characters of what the store keeps

_FAULTS = {
    "another account is bound": "another account of the company's login is bound to this mail"
    " address",
    "the person is disabled": "the person is disabled",
}
"""What is said of why a person may not come in, by the audit's reason: at most 40 characters."""


def log_in_by_company(
    store: Store, *, issuer: str, subject: str, mail: str, instead_of: str | None = None
) -> LoggedIn:
    """Begin a session for whom the provider names, in a token that was checked.

    `mail` is verified by it. `instead_of` is the token of a session that the same browser held,
    which ends. Nobody is added. Raises LoginRefused.
    """
    named = _bound(issuer, subject)
    # Half of a surrogate pair becomes characters that no address has: it must not match one.
    text = mail.encode("utf-8", "backslashreplace").decode()
    given = storable(in_small_letters(text.strip())[:320])
    with store.write() as tx:
        hold_people(tx)
        person, fault = _find(tx, named, given)
        if person is not None and fault is None:
            if person.subject is None:
                _bind(tx, person, named)
            if instead_of is not None:
                end_session(tx, digest_of_secret(instead_of))
            known = rows.Credentials(id=person.id, mail=person.mail, password=None)
            return begin_session(tx, known, way="page", by="company")
        if person is not None:
            actor = name_of_person(person.mail, "page")
            audit.record(tx, actor=actor, action="log_in_refused", reason=fault)
    why = f"nobody here has the mail address {given!r}" if fault is None else _FAULTS[fault]
    raise LoginRefused(why, field="person", fix="ask an admin")


def _find(tx: Tx, subject: str, mail: str) -> tuple[rows.Person | None, str | None]:
    """The person, and why they may not come in, as the audit has it."""
    person = rows.find_by_subject(tx, subject)
    if person is None:
        try:
            person = rows.find_person(tx, mail)
        except NotFound:
            return None, None
        if person.subject is not None:
            return person, "another account is bound"
    return person, None if person.disabled_at is None else "the person is disabled"


def _bind(tx: Tx, person: rows.Person, subject: str) -> None:
    rows.set_subject(tx, person.id, subject)
    actor = name_of_person(person.mail, "page")
    audit.record(tx, actor=actor, action="bind_login", detail={"person": person.mail})


def _bound(issuer: str, subject: str) -> str:
    """What the store keeps of a subject, which is one's own at its issuer only."""
    text = f"{issuer} {subject}"
    kept = storable(text.encode("utf-8", "replace").decode())
    if kept == text and len(text) <= _LONGEST:
        return text
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"

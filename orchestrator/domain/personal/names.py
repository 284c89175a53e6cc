"""Names of fields that look personal, for an author who has not marked them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_ALONE = frozenset({
    "email", "emails", "mail", "phone", "phones", "telephone", "tel", "mobile", "cell", "cellphone",
    "fax", "surname", "lastname", "firstname", "forename", "fullname", "nickname",
    "birthday", "birthdate", "dob", "address", "addresses", "street", "postcode", "zip", "zipcode",
    "iban", "ssn", "passport", "gender", "salary", "password", "latitude", "longitude",
})  # fmt: skip
_LAST = frozenset({
    "email", "emails", "mail", "phone", "phones", "telephone", "mobile", "fax", "surname",
    "lastname", "firstname", "birthday", "birthdate", "dob", "postcode", "zipcode", "iban", "ssn",
})  # fmt: skip
"""Words that a name ends in whatever is before them."""
_PAIRS = {
    "name": frozenset({
        "first", "last", "full", "given", "family", "middle", "maiden", "contact", "customer",
        "person", "user", "sender", "requester", "recipient", "author", "birth", "nick", "real",
    }),
    "address": frozenset({
        "mail", "email", "ip", "home", "street", "postal", "billing", "shipping", "delivery",
        "contact", "customer",
    }),
    "mail": frozenset({"e"}),
    "number": frozenset({"phone", "telephone", "mobile", "fax", "passport", "account", "card"}),
    "date": frozenset({"birth"}),
    "code": frozenset({"postal", "zip", "post"}),
    "id": frozenset({"tax", "national", "passport"}),
    "birth": frozenset({"of"}),
}  # fmt: skip
"""Words that a name ends in, where one of these is before them."""


_PEOPLE = frozenset({
    "", "applicant", "attendee", "author", "candidate", "contact", "customer", "employee", "guest",
    "lead", "member", "owner", "participant", "passenger", "patient", "person", "recipient",
    "requester", "sender", "subscriber", "user", "visitor",
})  # fmt: skip
"""What a plain `name` is in, where it is a person's; a company has one too."""


def looks_personal(name: str, holder: str = "") -> bool:
    """Whether a field's name says that its value tells of a person; `holder` is what it is in.

    >>> looks_personal("customerEmail"), looks_personal("e-mail"), looks_personal("product_name")
    (True, True, False)
    >>> looks_personal("name", "contact"), looks_personal("name", "company")
    (True, False)
    """
    words = _words(name)
    if words in (["name"], ["names"]):
        around = _words(holder) or [""]
        return around[-1] in _PEOPLE or around[-1].removesuffix("s") in _PEOPLE
    if len(words) < 2:
        return bool(words) and words[0] in _ALONE
    return words[-1] in _LAST or words[-2] in _PAIRS.get(words[-1], frozenset())


def _words(name: str) -> list[str]:
    return [one.lower() for one in _PART.findall(name)]


def holds_a_choice(schemas: Sequence[Mapping[str, object]]) -> bool:
    """Whether values there are one of a few, or true or false: they tell of nobody alone."""
    return any(
        "enum" in one or "const" in one or one.get("type") in ("boolean", "null") for one in schemas
    )

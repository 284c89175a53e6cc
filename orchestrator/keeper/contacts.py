"""Who is reached how: a file of contacts, in which every address with a secret is a reference.

Whom it does not name is sent a mail, by the connector `mail`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
    model_validator,
)

from connectors.definition.references import is_reference
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.documents.model_faults import Place, model_faults, wrong
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.hours.calendar import DAYS, Calendar, parse_span
from orchestrator.domain.workflows.hours.definition import OneOrMore, Zone

MAIL = "mail"


def _way(text: str) -> str:
    if text != MAIL and not is_reference(text):
        fix = "put the address into a variable and write env:NAME, or write `mail`"
        raise wrong("way", "the file has an address", fix)
    return text


class Quiet(BaseModel):
    """The hours in which a contact gets no alert; what falls into them comes after them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Zone
    hours: OneOrMore  # 22:00-07:00 is over midnight

    @model_validator(mode="after")
    def _ends(self) -> Quiet:
        if self.calendar.weekly_seconds > 7 * 23 * 3_600:
            raise wrong("hours", "no time is left to tell anything", "write shorter hours")
        return self

    @property
    def calendar(self) -> Calendar:
        """The quiet hours, the same on every day."""
        spans = []
        for since, until in map(parse_span, self.hours):
            over = until <= since
            spans += [(since, 24 * 60), (0, until)] if over else [(since, until)]
        return Calendar(zone=self.zone, hours=dict.fromkeys(range(len(DAYS)), tuple(sorted(spans))))


class Contact(BaseModel):
    """How one person or desk is reached: the ways are tried in order until one takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: Annotated[
        tuple[Annotated[StrictStr, AfterValidator(_way)], ...], Field(min_length=1, max_length=5)
    ] = (MAIL,)
    zone: Zone | None = None  # in which the times of a message are told
    quiet: Quiet | None = None
    private_network: StrictBool = False  # whether a name may lead to an address that is not public

    @property
    def zone_of_reader(self) -> str | None:
        """The time zone that this contact reads times in, as far as the file says."""
        return self.zone or (self.quiet.zone if self.quiet else None)


class Contacts(BaseModel):
    """The contacts by the address that workflows name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contacts: Annotated[dict[StrictStr, Contact], Field(max_length=10_000)]


_MODELS: Mapping[Place, type[BaseModel]] = {
    (): Contacts,
    ("contacts", "*"): Contact,
    ("contacts", "*", "quiet"): Quiet,
}
_EXAMPLES: Mapping[Place, str] = {
    ("contacts",): "contacts: {triage@acme.example: {to: [env:TRIAGE_CHAT]}}",
    ("contacts", "*", "zone"): "zone: Europe/Berlin",
    ("contacts", "*", "quiet", "zone"): "zone: Europe/Berlin",
    ("contacts", "*", "quiet", "hours"): "hours: 22:00-07:00",
}


def read_contacts(path: Path | None) -> dict[str, Contact]:
    """The contacts of a file; none without one. Raises InvalidFile with every fault."""
    if path is None:
        return {}
    try:
        text = read_bounded(path, strict_yaml.MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(path="", problem=f"it cannot be read: {error}", fix="name a readable file")
        raise InvalidFile(str(path), [fault]) from None
    document = strict_yaml.parse(text)
    if document.faults:
        raise InvalidFile(str(path), document.faults)
    try:
        return dict(Contacts.model_validate(document.value).contacts)
    except ValidationError as error:
        raise InvalidFile(str(path), model_faults(error, _MODELS, _EXAMPLES)) from None

"""What the sandbox keeps: records in memory, found by id and by key."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Stored:
    """One record as the sandbox keeps it."""

    id: str
    key: str | None  # of the request that made it
    fields: dict[str, Any]
    creates: int = 1  # requests that made or changed it
    gone: bool = False  # it was deleted; its id is not given again

    def shown(self) -> dict[str, Any]:
        """The record as an answer shows it."""
        return {"id": self.id, "key": self.key, "fields": self.fields}


@dataclass(kw_only=True)
class Collection:
    """Records of one kind, by id, by key and, for contacts, by e-mail address."""

    records: dict[str, Stored] = field(default_factory=dict)
    by_key: defaultdict[str, list[Stored]] = field(default_factory=lambda: defaultdict(list))
    by_email: dict[str, Stored] = field(default_factory=dict)

    def page(self, after: int, count: int) -> list[Stored]:
        """At most `count` records that were made after the first `after` ones."""
        last = min(after + count, len(self.records))
        found = [self.records[str(number)] for number in range(after + 1, last + 1)]
        return [one for one in found if not one.gone]

    def find(self, record_id: str) -> Stored | None:
        """The record with the id, or None."""
        record = self.records.get(record_id)
        return None if record is None or record.gone else record

    def remove(self, record: Stored) -> None:
        """Delete a record: nothing finds it any more."""
        record.gone = True
        for records in self.by_key.values():
            if record in records:
                records.remove(record)
        for email in [email for email, one in self.by_email.items() if one is record]:
            del self.by_email[email]

    def add(self, key: str | None, fields: dict[str, Any]) -> Stored:
        """A new record, whatever the key."""
        record = Stored(id=str(len(self.records) + 1), key=key, fields=fields)
        self.records[record.id] = record
        if key is not None:
            self.by_key[key].append(record)
        return record

    def upsert(self, key: str | None, fields: dict[str, Any]) -> Stored:
        """The contact with the key or the address, changed; or a new one."""
        email = str(fields.get("email"))
        with_key = self.by_key.get(key) if key is not None else None
        known = with_key[0] if with_key else self.by_email.get(email)
        if known is None:
            self.by_email[email] = record = self.add(key, fields)
            return record
        known.fields |= fields
        known.creates += 1
        if key is not None and not with_key:
            self.by_key[key].append(known)
        return known

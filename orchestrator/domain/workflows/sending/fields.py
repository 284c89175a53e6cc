"""What a destination is sent: each field a CEL expression over the facts, computed per event.

A field that uses the record of another destination is computed when that record is confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.event import Item, PlannedDelivery
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.cel.compile import NotComputed
from orchestrator.domain.workflows.facts import ABSENT, missing_fact, missing_part, rule_error
from orchestrator.domain.workflows.items import ItemSource
from orchestrator.domain.workflows.sending.records import NO_RECORDS, Records, record_values

Values = Mapping[str, object]
"""Facts by their names, an item by its own, and parts of records by names such as `crm.url`."""

Compute = Callable[[Values], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class SentField:
    """One field of a destination."""

    name: str
    text: str  # as the workflow has it
    required: bool  # the action is nothing without it
    needs: tuple[str, ...]  # the optional facts in it
    compute: Compute  # the value as JSON, ABSENT or NotComputed
    default: Compute | None  # what is sent where `compute` gives ABSENT
    awaits: tuple[str, ...] = ()  # the parts of other destinations' records in it, as `crm.url`

    def value(self, values: Values, *, of_item: bool) -> tuple[object, bool]:
        """The value as JSON, ABSENT or NotComputed, and whether it is the stated default."""
        value = self.compute(values)
        if of_item and isinstance(value, NotComputed) and value.absent:
            value = ABSENT  # the item has no such property
        if value is ABSENT and self.default:
            return self.default(values), True
        return value, False


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledDestination:
    """One destination, ready to be planned for events."""

    name: str
    connector: str
    action: str
    fields: tuple[SentField, ...]
    confirm: tuple[str, ...]
    items: ItemSource | None = None  # it is sent each of these; None: the event as a whole
    after: tuple[str, ...] = ()  # the destinations that have to be confirmed before

    def plan_all(
        self, facts: Values, payload: object, records: Records = NO_RECORDS
    ) -> Sequence[PlannedDelivery] | Rejected:
        """The deliveries for these facts: one, or one for each item.

        `records` are those that earlier destinations confirmed.
        """
        if self.after:
            facts = {**facts, **record_values(records)}
        waits_for = tuple(name for name in self.after if name not in records)
        if self.items is None:
            planned = self.plan(facts, waits_for=waits_for)
            return planned if isinstance(planned, Rejected) else (planned,)
        items = self.items.read_items(payload, facts)
        if isinstance(items, Rejected):
            return items
        deliveries = []
        for key, item in items.items():
            planned = self.plan({**facts, self.items.variable: item}, key, waits_for=waits_for)
            if isinstance(planned, Rejected):
                return planned
            deliveries.append(planned)
        return deliveries

    def plan(
        self, values: Values, item: Item = None, *, waits_for: tuple[str, ...] = ()
    ) -> PlannedDelivery | Rejected:
        """The delivery for these values, with one item among them where `item` is its key.

        A field whose facts are absent is sent its default; without one it is neither sent nor
        confirmed, unless the action requires it. While it waits for a record, the fields that use
        records are left open.
        """
        left_open = tuple(one.name for one in self.fields if one.awaits) if waits_for else ()
        send: dict[str, object] = {}
        defaulted: tuple[str, ...] = ()
        for field in self.fields:
            if field.name in left_open:
                continue
            value, by_default = field.value(values, of_item=item is not None)
            if by_default:
                defaulted = (*defaulted, field.name)
            if value is ABSENT:
                if missing := self._missing(field, values):
                    return missing
            elif isinstance(value, NotComputed):
                what, path = f"`{field.name}` of {self.name}", self._path(field)
                return rule_error(what, field.text, value, path=path)
            else:
                send[field.name] = value
        confirm = self.confirm
        if len(send) != len(self.fields):
            confirm = tuple(name for name in confirm if name in send or name in left_open)
            if self.confirm and not confirm:
                return self._unproven()
        return PlannedDelivery(
            destination=self.name,
            connector=self.connector,
            action=self.action,
            send=send,
            confirm=confirm,
            defaulted=defaulted,
            item=item,
            after=self.after,
            waits_for=waits_for,
            left_open=left_open,
        )

    def _unproven(self) -> Rejected:
        """Nothing would be made that nobody could prove."""
        fields = ", ".join(self.confirm)
        return Rejected(
            reason=Reason.MISSING_FACT,
            detail=f"every field that {self.name} would be proven by is absent: {fields}",
            path=f"destinations.{self.name}.confirm",
        )

    def _missing(self, field: SentField, values: Values) -> Rejected | None:
        """Why the event cannot do without an absent value; None where it is left out."""
        needed_by, path = f"`{field.name}` of {self.name}", self._path(field)
        of_record = next((part for part in field.awaits if part not in values), None)
        if of_record is not None:
            return missing_part(of_record, needed_by, path=path)
        if not field.required:
            return None
        absent = next((name for name in field.needs if name not in values), field.text)
        return missing_fact(absent, needed_by, path=path)

    def _path(self, field: SentField) -> str:
        return f"destinations.{self.name}.send.{field.name}"

"""One HTTP request for several deliveries of an action, and what its answer says of each."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.definition.paths import (
    Unreadable,
    as_text,
    dig,
    dig_or_none,
    record_id_at,
    shown,
    steps,
)
from connectors.http.answers import parse
from connectors.http.definition import Batch
from connectors.http.placeholders.values import ABSENT, Unfillable, Values
from connectors.http.requests import RequestTemplate
from connectors.http.templates import compile_template, compile_text
from connectors.http.wire.exchange import Answer
from orchestrator.domain.errors import ConnectorError, OutcomeUnknown


class BatchPlan:
    """A batch, compiled."""

    def __init__(self, said: Batch) -> None:
        self.request = RequestTemplate("batch", said)
        self.most = said.most
        self._item = compile_template(said.item)
        self._results = None if said.results is None else steps(said.results)
        self._record_id = None if said.record_id is None else steps(said.record_id)
        self._where = [(steps(path), compile_text(text)) for path, text in said.where.items()]

    def item(self, values: Values) -> object:
        """One delivery as an entry of the list. Raises Unfillable."""
        filled = self._item.fill(values)
        if filled is ABSENT:
            raise Unfillable("nothing of its item was sent")
        return filled

    def made(self, answer: Answer, calls: Sequence[Values]) -> list[str | ConnectorError]:
        """What became of each, in order: its record's id; the key, where none is given."""
        if self._results is None:
            return [one.key for one in calls]
        try:
            results = dig(parse(answer), self._results)
        except Unreadable as error:
            return [OutcomeUnknown(f"batch: {error}")] * len(calls)
        if not isinstance(results, list):
            told = f"batch: what the answer has at {shown(self._results)} is not a list"
            return [OutcomeUnknown(told)] * len(calls)
        return [self._own(results, one) for one in calls]

    def _own(self, results: list[object], values: Values) -> str | ConnectorError:
        """The id in the one result that is this delivery's; a tool may answer in any order."""
        try:
            wanted = [(at, template.fill(values)) for at, template in self._where]
            own = [
                one
                for one in results
                if all(as_text(dig_or_none(one, at)) == text for at, text in wanted)
            ]
            if len(own) != 1:
                return OutcomeUnknown(f"batch: {len(own)} results are this delivery's")
            return values.key if self._record_id is None else record_id_at(own[0], self._record_id)
        except (Unreadable, Unfillable) as error:
            return OutcomeUnknown(f"batch: {error}")

"""What an action of a definition sends, and what it reads of each answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.definition.origins import Origin
from connectors.definition.paths import Steps, steps
from connectors.http.definition import (
    Ask,
    Batch,
    Bodied,
    Done,
    HttpAction,
    Lookup,
    Read,
    Search,
    Step,
    Undo,
    Write,
)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request of an action, without its values."""

    name: str  # as the definition calls it: create, lookup, then.message.done …
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    paging: tuple[str, ...]  # query parameters that only a further page is asked with
    body: Any  # None: it has none
    form: Mapping[str, str] | None
    reads: Mapping[str, Steps]  # what it needs of the answer, by how the definition calls that


def requests_of(action: HttpAction) -> Iterator[Sent]:
    """The requests of an action, in the order in which they may go out."""
    for place, said in action.requests():
        parts = place.split(".")
        if parts[0] == "then":
            parts[1] = action.then[int(parts[1])].name
        yield _sent(".".join(parts), said)


def _sent(name: str, said: Ask) -> Sent:
    return Sent(
        name=name,
        method=said.method if isinstance(said, Write | Batch | Search | Undo | Step) else "get",
        path=said.path,
        query=said.query,
        headers=said.headers,
        paging=_paging(said),
        body=_body(said),
        form=said.form if isinstance(said, Bodied) else None,
        reads={**_good(said), **_reads(said)},
    )


def _body(said: Ask) -> Any:
    if isinstance(said, Batch):
        return _with_item(said.body, said.item)
    return said.body if isinstance(said, Bodied | Search) else None


def _with_item(body: Any, item: Any) -> Any:
    if isinstance(body, dict):
        return {name: _with_item(value, item) for name, value in body.items()}
    if isinstance(body, list):
        return [_with_item(value, item) for value in body]
    return [item] if body == "{items}" else body


def _paging(said: Ask) -> tuple[str, ...]:
    if not isinstance(said, Lookup) or said.next is None:
        return ()
    return tuple(name for name in (said.next.query, said.next.page, said.next.offset) if name)


def _good(said: Ask) -> dict[str, Steps]:
    return {f"good.{sign.at}": steps(sign.at) for sign in said.good if sign.at is not None}


def _reads(said: Ask) -> dict[str, Steps]:
    if isinstance(said, Lookup):
        return _of_lookup(said)
    if isinstance(said, Read):
        return _of_read(said)
    if isinstance(said, Batch):
        return _of_batch(said)
    return _of_origin("record_id", said.record_id) if isinstance(said, Write) else {}


def _of_lookup(said: Lookup) -> dict[str, Steps]:
    listed = said.items is not None
    items = steps(said.items or "")
    item: Steps = (*items, "0") if listed else ()
    found = {"items": items} if said.items else {}
    if said.record_id:
        found["record_id"] = (*item, *steps(said.record_id))
    found |= {f"where.{at}": (*item, *steps(at)) for at in said.where}
    if isinstance(said, Done) and isinstance(said.fields, dict):
        found |= {
            f"fields.{name}": (*item, *steps(place.at)) for name, place in said.fields.items()
        }
    places = {
        "next.at": said.next and said.next.at,
        "next.url": said.next and said.next.url,
        "more": said.more and said.more.at,
        "total": said.total,
    }
    found |= {name: steps(at) for name, at in places.items() if at}
    return found | _of_origin("version", said.version, item)


def _of_read(said: Read) -> dict[str, Steps]:
    where = {f"where.{at}": steps(at) for at in said.where}
    if isinstance(said.fields, dict):
        fields = {f"fields.{name}": steps(place.at) for name, place in said.fields.items()}
    else:
        fields = {"fields": steps(said.fields)}
    return where | fields | _of_origin("version", said.version)


def _of_batch(said: Batch) -> dict[str, Steps]:
    if said.results is None:
        return {}
    results = steps(said.results)
    found = {"results": results}
    found |= {f"where.{at}": (*results, "0", *steps(at)) for at in said.where}
    if said.record_id is not None:
        found["record_id"] = (*results, "0", *steps(said.record_id))
    return found


def _of_origin(name: str, said: Origin | None, under: Steps = ()) -> dict[str, Steps]:
    return {name: (*under, *steps(said.at))} if said and said.at is not None else {}

"""Whether the requests of an HTTP action can be filled, and whether what is promised is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.definition.collect_faults import Report
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
    Update,
)
from connectors.http.placeholders.values import InvalidTemplate
from connectors.http.templates import Template, compile_path, compile_template, compile_text
from orchestrator.domain.delivery.handoff import Idempotency


def check_requests(at: str, action: HttpAction, secrets: Mapping[str, str], report: Report) -> None:
    """Report what is wrong with the requests of an action that has one write."""
    doubled = sorted(set(action.required) & set(action.optional))
    if doubled:
        report(f"{at}.optional", f"{', '.join(doubled)} is required too", "name it once")
    check = _Check(action, secrets, report)
    check.write(at)
    if action.lookup:
        check.lookup(f"{at}.lookup", action.lookup)
    if action.read:
        check.read(f"{at}.read", action.read)
    if action.batch:
        check.batch(f"{at}.batch", action.batch)
    if action.undo and not check.request(f"{at}.undo", action.undo).has("record_id"):
        problem = "it does not say which record"
        report(f"{at}.undo", problem, "put {record_id} into its path")


@dataclass(kw_only=True)
class _Placeholders:
    """What a request names; where a template cannot be read, it may name anything."""

    names: set[str] = field(default_factory=set)
    unreadable: bool = False

    def has(self, name: str) -> bool:
        found = {name, "key_uuid"} if name == "key" else {name}
        return self.unreadable or not found.isdisjoint(self.names)

    def has_field(self) -> bool:
        return self.unreadable or any(name.startswith("send") for name in self.names)


def _together(*found: _Placeholders) -> _Placeholders:
    return _Placeholders(
        names=set().union(*(one.names for one in found)),
        unreadable=any(one.unreadable for one in found),
    )


class _Check:
    """The checks of one action's requests."""

    def __init__(self, action: HttpAction, secrets: Mapping[str, str], report: Report) -> None:
        self._action = action
        self._secrets = secrets
        self._report = report

    def write(self, at: str) -> None:
        action = self._action
        steps = [self.step(f"{at}.then.{number}", one) for number, one in enumerate(action.then)]
        self._known_names(at)
        for place, (name, said) in enumerate(action.writes()):
            found = self.request(f"{at}.{name}", said)
            if place == 0:  # of two, the one that makes the record
                self._sends_key(f"{at}.{name}", name, found)
            self._sends_all(f"{at}.{name}", _together(found, *steps))

    def _known_names(self, at: str) -> None:
        """Report what is wrong with ids and addresses that we know ourselves."""
        action = self._action
        if action.url is not None and action.url.value is not None:
            self.known(f"{at}.url", action.url.value, record_id=True)
        for name, said in action.writes():
            if said.record_id is not None and said.record_id.value is not None:
                self.known(f"{at}.{name}.record_id", said.record_id.value)

    def _sends_key(self, at: str, name: str, found: _Placeholders) -> None:
        by_name = name != "create" or self._action.either
        keyed = set() if by_name else {Idempotency.NATIVE_KEY, Idempotency.LOOKUP}
        if self._action.idempotency in keyed and not found.has("key"):
            self._report(at, "it does not send the key", "put {key} where the system keeps it")

    def step(self, at: str, said: Step) -> _Placeholders:
        """What a step names, its faults reported."""
        found = self.request(at, said)
        if said.repeatable and said.method != "put" and not found.has("key"):
            self._report(at, "it is repeatable and does not send the key", "put {key} into it")
        if said.done is None:
            return found
        asked = self.request(f"{at}.done", said.done)
        if not (asked.has("key") or asked.has_field()):
            problem = "it would find what others did"
            self._report(
                f"{at}.done", problem, 'ask by {key}, or add where: {PATH: "{send.FIELD}"}'
            )
        for name in said.done.fields if isinstance(said.done.fields, dict) else ():
            self._field(f"{at}.done.fields.{name}", name)
        return found

    def _sends_all(self, at: str, found: _Placeholders) -> None:
        """Report fields that a write takes and does not send, nor finds its record by."""
        action = self._action
        looked_up = self._quietly(action.lookup) if action.update else None
        if found.has("send"):
            return
        if action.open_fields:
            fix = "put {send} into the body"
            self._report(at, "open fields are taken and never sent", fix)
        for sent in (*action.required, *action.optional):
            asked = f"send.{sent}"
            if not found.has(asked) and not (looked_up and looked_up.has(asked)):
                self._report(at, f"{sent} is taken and never sent", f"put {{send.{sent}}} into it")

    def known(self, at: str, source: str, *, record_id: bool = False) -> None:
        """Report what is wrong with an id or an address that we know ourselves."""
        try:
            names = compile_text(source).names
        except InvalidTemplate as error:
            self._report(at, "it cannot be read", str(error))
            return
        for name in sorted(names):
            if name.startswith("secret."):
                self._report(at, "it is stored, and shown to people", f"take {{{name}}} out")
            elif not (record_id and name == "record_id"):
                self._placeholder(at, name, Ask(path=""))
            sent = name.removeprefix("send.")
            if sent in self._action.optional:
                self._report(at, "it must be whole", f"name {sent} under required")

    def batch(self, at: str, said: Batch) -> None:
        if not self.request(at, said).has("items"):
            self._report(at, "it carries nothing", 'put "{items}" into its json, as the list')
        item = self.request(f"{at}.item", Bodied(path="", json=said.item))
        if self._action.idempotency is not Idempotency.CONFLICT and not item.has_field():
            self._report(f"{at}.item", "it sends no field", "put {send.FIELD} into it")
        for name in sorted(item.names):
            if name.startswith("secret.") or name == "items":
                fix = "put it into the batch's json"
                self._report(f"{at}.item", f"{{{name}}} cannot be used in an item", fix)

    def lookup(self, at: str, said: Lookup) -> None:
        found = self.request(at, said)
        by_key = self._action.idempotency is Idempotency.LOOKUP and not self._action.either
        if self._action.update:
            self._found_by(at, said)
        if not found.has("key") and (by_key or not found.has_field()):
            self._report(at, "it does not ask for the key", "put {key} into its query")

    def _found_by(self, at: str, said: Lookup) -> None:
        """A search without one of its fields would find other records, which would be changed."""
        found = self._quietly(said)
        for sent in self._action.optional:
            if found.has(f"send.{sent}") and not found.unreadable:
                problem = f"{sent} may be missing, and the record is found by it"
                self._report(at, problem, "name it under required")

    def read(self, at: str, said: Read) -> None:
        if not self.request(at, said).has("record_id"):
            problem = "it does not ask for the record"
            self._report(at, problem, "put {record_id} into its path")
        for name in said.fields if isinstance(said.fields, dict) else ():
            self._field(f"{at}.fields.{name}", name)

    def request(self, at: str, said: Ask) -> _Placeholders:
        """What a request names, its faults reported."""
        found = _Placeholders()
        if isinstance(said, Bodied) and said.body is not None and said.form is not None:
            self._report(f"{at}.form", "it has a JSON body too", "keep one of json and form")
        for where, source, compile_source in _templates(said):
            try:
                template = compile_source(source)
            except InvalidTemplate as error:
                self._report(f"{at}.{where}", "it cannot be read", str(error))
                found.unreadable = True
                continue
            found.names |= template.names
            for name in sorted(template.names):
                self._placeholder(f"{at}.{where}", name, said)
                self._whole(at, where, name)
        return found

    def _quietly(self, said: Ask | None) -> _Placeholders:
        """What a request names; its faults are reported elsewhere."""
        quiet = _Check(self._action, self._secrets, lambda *_: None)
        return quiet.request("", said) if said else _Placeholders()

    def _whole(self, at: str, where: str, name: str) -> None:
        sent = name.removeprefix("send.")
        if where == "path" and sent != name and sent not in self._action.required:
            problem = f"{sent} may be missing, and a path must be whole"
            self._report(f"{at}.path", problem, "name it under required")

    def _placeholder(self, where: str, name: str, said: Ask) -> None:
        if name == "record_id" and not isinstance(said, Read | Undo | Update | Step | Done):
            problem = "the record's id is known only to `read`, `update`, `then` and `undo`"
            self._report(where, problem, "take {record_id} out")
        if name == "version":
            self._version(where, said)
        if name == "items" and not isinstance(said, Batch):
            self._report(where, "only a batch has {items}", "take it out")
        if name.startswith("send."):
            self._field(where, name.removeprefix("send."))
        secret = name.removeprefix("secret.")
        if secret != name and secret not in self._secrets:
            problem = f"there is no secret {secret}"
            self._report(where, problem, f"add it under `secrets`: {{{secret}: env:NAME}}")
        elif secret != name and ".where." in where:
            self._report(where, "a record is not found by a secret", f"take {{{name}}} out")

    def _version(self, where: str, said: Ask) -> None:
        """Whether the record's state is known where a request names it."""
        lookup, read = self._action.lookup, self._action.read
        known = [one for one in (lookup, read) if one is not None and one.version is not None]
        if not isinstance(said, Undo | Update):
            problem = "the record's state is known only to `update` and `undo`"
            self._report(where, problem, "take {version} out")
        elif not known or (isinstance(said, Undo) and not (read and read.version)):
            self._report(where, "nothing says {version}", "add version: {header: ETag} to `read`")

    def _field(self, where: str, name: str) -> None:
        known = (*self._action.required, *self._action.optional)
        if name not in known and not self._action.open_fields:
            problem = f"the action takes no field {name}"
            self._report(where, problem, "name it under required or optional")


def _templates(said: Ask) -> Iterator[tuple[str, Any, Callable[[Any], Template]]]:
    """The place of each template of a request, its source, and what compiles it."""
    yield "path", said.path, compile_path
    named = {"query": said.query, "headers": said.headers}
    if isinstance(said, Bodied) and said.form is not None:
        named["form"] = said.form
    if isinstance(said, Lookup | Read | Batch):
        named["where"] = said.where
    for where, texts in named.items():
        for name, text in texts.items():
            yield f"{where}.{name}", text, compile_text
    if isinstance(said, Bodied | Search) and said.body is not None:
        yield "json", said.body, compile_template

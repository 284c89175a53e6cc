"""Whether a definition says in a way that can be what a record is called, and what follows it."""

from __future__ import annotations

from connectors.definition.collect_faults import Report
from connectors.http.definition import HttpAction, Write
from connectors.http.paging.checks import check_list
from connectors.http.placeholders.values import InvalidTemplate
from connectors.http.templates import compile_path, compile_text, names_key
from orchestrator.domain.delivery.handoff import Idempotency


def check_origins(at: str, action: HttpAction, report: Report) -> None:
    """Whether the record's address and its state are where they can be."""
    if action.url and action.url.header and action.update and not action.create:
        report(f"{at}.url", "an update tells no address", "write {value: ...} or {at: PATH}")
    for name, said in (("lookup", action.lookup), ("read", action.read)):
        version = said.version if said else None
        if version and version.value is not None:
            report(f"{at}.{name}.version", "only the system knows it", "write {header: ETag}")
    lookup = action.lookup
    if lookup and lookup.version and lookup.items is not None and lookup.version.at is None:
        problem = "a header speaks of the whole list"
        report(f"{at}.lookup.version", problem, "write the path in an item, or read.version")


def check_undo(at: str, action: HttpAction, report: Report) -> None:
    """Whether what an undo deletes is only what this event has made."""
    for name, write in action.writes() if action.undo else ():
        if _may_replace(action, name, write) and not _is_found_by_key(write):
            problem = f"{name} may change a record that was there, and this would delete it"
            fix = f"put {{key}} into the path of {name}, or take undo out"
            report(f"{at}.undo", problem, fix)


def _may_replace(action: HttpAction, name: str, said: Write) -> bool:
    """Whether a write changes what is there already under the name that it asks for."""
    folds = action.idempotency is Idempotency.NATIVE_KEY
    return name == "upsert" or (name == "create" and said.method == "put" and folds)


def _is_found_by_key(said: Write) -> bool:
    """Whether the record is found by the delivery's key, which no record of others has."""
    try:
        found = [compile_path(said.path), *map(compile_text, said.query.values())]
    except InvalidTemplate:
        return True  # which is reported where templates are
    return any(names_key(one.names) for one in found)


def check_steps(at: str, action: HttpAction, report: Report) -> None:
    """Whether each step can be found again after a lost answer."""
    if action.then and action.batch:
        report(f"{at}.batch", "what follows a record's request is done one by one", "take it out")
    names = [step.name for step in action.then]
    for number, step in enumerate(action.then):
        where = f"{at}.then.{number}"
        if names.index(step.name) != number:
            report(f"{where}.name", "another step has this name", "give it one of its own")
        if step.done is None:
            continue
        done = f"{where}.done"
        check_list(done, step.done, report)
        if (step.done.items is None) == (step.done.absent_status is None):
            problem = "it must say in one way how the answer looks where the step is not done"
            report(done, problem, "write items: PATH of the list, or absent_status: 404")
        if step.done.fields is not None and not isinstance(step.done.fields, dict):
            report(f"{done}.fields", "it does not name fields", "write `name: path` pairs")
        elif step.done.fields and not (action.read and isinstance(action.read.fields, dict)):
            problem = "fields of a step are read beside those that `read` names"
            report(f"{done}.fields", problem, "name the fields of `read` too, or take it out")

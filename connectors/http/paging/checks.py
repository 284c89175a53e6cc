"""Whether a definition says in one way how it knows that a list is whole."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.definition.collect_faults import Report
from connectors.http.definition import Compared, HttpAction, Lookup, NextPage

_WAYS = "{at: PATH, query: NAME}, {url: PATH}, {link: next}, {page: NAME} or {offset: NAME}"


def check_list(at: str, said: Lookup, report: Report) -> None:
    """Report what is wrong with what a look-up says of its list."""
    words = [name for name in ("whole", "next", "more", "total") if getattr(said, name)]
    if words and said.items is None:
        report(f"{at}.{words[0]}", "it asks for one record and not for a list", "take it out")
    if said.whole and len(words) > 1:
        problem = "a list that is always whole is not read on"
        report(f"{at}.whole", problem, f"keep whole, or {' and '.join(words[1:])}")
    if said.more is not None:
        check_wanted(f"{at}.more.is", said.more, report)
        if None in (said.more.wanted or ()):
            report(f"{at}.more.is", "null says nothing about a list", "write the value there then")
    if said.next is not None:
        _check_next(f"{at}.next", said.next, report)
    elif "pages" in said.model_fields_set:
        report(f"{at}.pages", "nothing says where the next page is", "add next, or take it out")


def check_wanted(at: str, said: Compared, report: Report) -> None:
    """Report a value that nothing in an answer is compared with."""
    if any(isinstance(one, list | dict) for one in said.wanted or ()):
        report(at, "only plain values are compared", "write texts, numbers, true, false or null")


def _check_next(at: str, said: NextPage, report: Report) -> None:
    ways = [name for name in ("at", "url", "link", "page", "offset") if getattr(said, name)]
    if len(ways) != 1:
        named = " and ".join(ways) or "nothing"
        report(at, f"it finds the next page by {named}", f"write {_WAYS}")
    if (said.at is None) != (said.query is None):
        report(
            at, "a mark and the query that takes it go together", "write {at: PATH, query: NAME}"
        )
    if said.first is not None and not (said.page or said.offset):
        report(f"{at}.first", "only page and offset count from a number", "take it out")


def unsaid_lists(actions: Mapping[str, HttpAction]) -> list[str]:
    """A line for each look-up that filters a list and does not say when it is whole."""
    return [
        f"actions.{name}.{where} does not say how it knows that its list is whole: a record that is"
        " not in it may still be there, and then a person decides; write whole, next, more or total"
        for name, action in actions.items()
        for where, said in action.requests()
        if isinstance(said, Lookup) and said.items is not None and not _says_whole(said)
    ]


def _says_whole(said: Lookup) -> bool:
    return bool(said.whole or said.next or said.more or said.total)

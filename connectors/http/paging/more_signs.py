"""The signs by which tools usually say that a list goes on, for definitions that name none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connectors.definition.paths import as_text
from connectors.http.wire.exchange import Answer

# Names are compared without case, dashes, underscores and dots: has_more, hasMore, odata.nextLink.
_SAY_MORE = frozenset({
    "hasmore", "hasmoreitems", "more", "moreresults", "hasnext", "hasnextpage", "hasmorepages",
    "morepages", "truncated", "istruncated", "incomplete", "incompleteresults", "partial",
})  # fmt: skip
_SAY_LAST = frozenset({"islast", "islastpage", "last", "lastpage", "done", "complete", "iscomplete",
                       "end", "atend", "eof", "finished"})  # fmt: skip
_NAME_NEXT = frozenset({
    "next", "nextpage", "nexturl", "nextlink", "nexthref", "nexturi", "nextcursor", "nexttoken",
    "nextpagetoken", "nextpageurl", "nextpagecursor", "nextrecordsurl", "nextoffset",
    "nextstart", "nextkey", "continuation", "continuationtoken", "continuetoken", "continue",
    "odatanextlink", "lastevaluatedkey", "scrollid",
})  # fmt: skip
_COUNT_ALL = frozenset({
    "total", "totalcount", "totalresults", "totalitems", "totalsize", "totalrecords", "totalhits",
    "totalelements", "totalrows", "totalentries", "count", "recordstotal", "recordsfiltered",
    "numfound", "resultcount", "resultscount", "itemcount", "hits", "odatacount", "totalfound",
})  # fmt: skip
_COUNT_PAGES = frozenset({"pages", "totalpages", "pagecount", "pagescount", "numpages", "lastpage",
                          "pagetotal", "maxpage"})  # fmt: skip
_THIS_PAGE = frozenset({"page", "currentpage", "pagenumber", "pageno", "number", "pageindex"})
# Where tools put these signs, beside the top of the answer.
_INSIDE = frozenset({
    "meta", "metadata", "paging", "pagination", "pageinfo", "page", "pages", "links", "cursor",
    "cursors", "responsemetadata", "info", "result", "results", "data", "response", "list", "count",
    "total", "hits", "pager",
})  # fmt: skip
_DEEPEST = 3
_PARTIAL, _PARTIAL_SIGN = 206, "206 Partial Content"
_COUNT_HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "X-Total-Results", "Total-Count")
_RANGE = re.compile(r"[a-z]*\s*[0-9*]+(?:-([0-9]+))?/([0-9]+)", re.IGNORECASE)
_NEXT_LINK = re.compile(r"""rel\s*=\s*["']?[^"';,]*\bnext\b""", re.IGNORECASE)


def sign_of_more(answer: Answer, document: object, items: int) -> str | None:
    """The first sign that there are more than the `items` that are listed, as an error names it."""
    if answer.status == _PARTIAL:
        return _PARTIAL_SIGN
    return _sign_in_headers(answer.headers, items) or next(_signs(document, items), None)


def flag_of_more(answer: Answer, document: object) -> str | None:
    """The same, of the signs that say nothing else; a next address and a count may be meant so."""
    if answer.status == _PARTIAL:
        return _PARTIAL_SIGN
    flags = (at for at, word, found in _places(document) if _is_flag_of_more(word, found))
    return next(flags, None)


def _sign_in_headers(headers: Mapping[str, str], items: int) -> str | None:
    if _NEXT_LINK.search(headers.get("Link") or ""):
        return "the header Link"
    for name in _COUNT_HEADERS:
        count = headers.get(name, "").strip()
        if count.isdecimal() and int(count[:16]) > items:
            return f"the header {name}"
    listed = _RANGE.fullmatch((headers.get("Content-Range") or "").strip())
    return "the header Content-Range" if listed and int(listed[2][:16]) > items else None


def _signs(document: object, items: int) -> Iterator[str]:
    for at, word, found in _places(document):
        if _says_more(word, found, items):
            yield at
        if word in _INSIDE and _has_later_page(found):
            yield f"{at}.page"
    if _has_later_page(document):
        yield "page"


def _places(value: object, place: str = "", depth: int = 0) -> Iterator[tuple[str, str, object]]:
    """Wherever tools put signs: the path, its last name as we compare it, and what is there."""
    if not isinstance(value, dict) or depth > _DEEPEST:
        return
    for name, found in value.items():
        at, word = f"{place}{name}", _word(name)
        yield at, word, found
        if word in _INSIDE:
            yield from _places(found, f"{at}.", depth + 1)


def _word(name: object) -> str:
    return re.sub(r"[^a-z]", "", str(name).lower())


def _is_flag_of_more(word: str, found: object) -> bool:
    if word in _SAY_MORE:
        return found is True or (as_text(found) or "").lower() in ("true", "1", "yes")
    return word in _SAY_LAST and found is False


def _says_more(word: str, found: object, items: int) -> bool:
    if _is_flag_of_more(word, found):
        return True
    if word in _NAME_NEXT:
        if isinstance(found, dict):
            return bool(found)
        return not isinstance(found, bool) and as_text(found) not in (None, "", "0", "-1")
    if word in _COUNT_ALL:
        return isinstance(found, int) and not isinstance(found, bool) and found > items
    return False


def _has_later_page(value: object) -> bool:
    named = {_word(name): one for name, one in value.items()} if isinstance(value, dict) else {}
    pages = [one for name, one in named.items() if name in _COUNT_PAGES and _is_count(one)]
    here = [one for name, one in named.items() if name in _THIS_PAGE and _is_count(one)]
    return any(
        isinstance(last, int) and isinstance(page, int) and last > max(page, 1)
        for last in pages
        for page in here
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

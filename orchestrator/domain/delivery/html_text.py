"""The text that HTML shows: its lines, without tags, attributes and what is not shown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from orchestrator.domain.delivery.plain_values import plain_text, same_lines

_BREAKS = re.compile(
    "address|article|aside|blockquote|body|br|center|d[dlt]|details|dir|div|fieldset|figcaption"
    "|figure|footer|form|h[1-6r]|head|header|html|legend|li|main|menu|nav|ol|optgroup|option|p|pre"
    "|section|select|summary|table|tbody|tfoot|thead|tr|ul"
)
_INLINE = re.compile(
    "a|abbr|acronym|b|bd[io]|big|caption|cite|code|col|colgroup|data|del|dfn|em|font|i|img|ins|kbd"
    "|label|mark|q|s|samp|small|span|strike|strong|su[bp]|t[dht]|time|u|var|wbr"
)
_HIDDEN = frozenset({"script", "style", "title", "template", "noscript"})
_CELLS = frozenset({"td", "th"})
# A tag, a comment's begin, or a declaration. Of a tag no `<` is read twice: a text that only begins
# tags takes no longer than another of its length.
_MARK = re.compile(
    r"""<(?P<end>/?)(?P<name>[A-Za-z][^\s/<>"']*)"""
    r"""(?P<rest>(?>[^<>"']+|"[^"]*"|'[^']*')*+|[^<>]*+)>"""
    r"|(?P<comment><!--)|<[!?/][^<>]*>"
)
_COMMENT = "!--"
_CLOSES = {name: re.compile(rf"</{name}[\s/]*+>", re.IGNORECASE | re.ASCII) for name in _HIDDEN}
_CLOSES[_COMMENT] = re.compile("-->")
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))  # soft hyphen, zero-width space …
_LINE_END = re.compile(r"\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_ENDLESS = re.compile("&#[0-9]{20,};?")  # a character's number that has no character
_ATTRIBUTE = re.compile(r"""([^\s"'=/]++)(?:\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"']++)))?""")
_ITEM = "\x00"  # begins the line of a list's item
_BULLET = re.compile(r"(?:[-*+\u2022\u25e6\u2013]|[0-9]{1,3}[.)])\s+")


def same_html(sent: object, stored: object) -> bool:
    """Whether the markup that is stored shows the text, or the markup, that was sent.

    Empty lines and runs of white space say nothing in HTML. A line break in its source is one
    that was sent, or white space.
    """
    text, markup = plain_text(sent), plain_text(stored)
    if text is None or markup is None:
        return False
    if same_lines(text, markup):
        return True
    wanted = [_plain_lines(text)]
    if _is_markup(text):
        wanted += [shown_lines(text, wrapped=wrapped) for wrapped in (False, True)]
    readings = [shown_lines(markup, wrapped=wrapped) for wrapped in (False, True)]
    return any(_same(want, have) for want in wanted for have in readings)


def shows_nothing(stored: object) -> bool:
    """Whether markup shows no text, as an editor's empty paragraph."""
    return isinstance(stored, str) and not shown_lines(stored)


def shown_lines(markup: str, *, wrapped: bool = False) -> list[str]:
    """The lines that markup shows, the empty ones left out.

    `wrapped` takes a line break of the source for white space, as a browser does.
    """
    return _filled("".join(_shown(markup, wrapped=wrapped)))


def _shown(markup: str, *, wrapped: bool) -> Iterator[str]:
    for text, mark in _parts(markup):
        data = html.unescape(_ENDLESS.sub("\ufffd", text)).replace(_ITEM, "")
        yield _LINE_END.sub(" ", data) if wrapped else data
        if mark is not None and mark["name"]:
            yield _drawn_for(mark["name"].lower(), mark)


def _parts(markup: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Each text that is shown, and the tag after it. What nothing closes hides nothing."""
    at, unclosed = 0, set()
    while mark := _MARK.search(markup, at):
        hides = _hides(mark)
        end = None
        if hides is not None and hides not in unclosed:
            end = _CLOSES[hides].search(markup, mark.start() + 2)
            if end is None:
                unclosed.add(hides)  # and is not looked for again
        shown = hides == _COMMENT and end is None
        yield markup[at : mark.end() if shown else mark.start()], mark
        at = mark.end() if end is None else end.end()
    yield markup[at:], None


def _hides(mark: re.Match[str]) -> str | None:
    """By what the text after a tag is hidden until it is closed."""
    if mark["comment"]:
        return _COMMENT
    name = (mark["name"] or "").lower()
    opens = name in _HIDDEN and not mark["end"] and not mark["rest"].endswith("/")
    return name if opens else None


def _drawn_for(tag: str, mark: re.Match[str]) -> str:
    """What is seen of a tag: where its line ends, or an emoji that is kept as an image."""
    if mark["end"] and tag == "br":
        return ""
    if not mark["end"] and tag == "li":
        return f"\n{_ITEM}"
    if not mark["end"] and tag == "img":
        return _emoji(mark["rest"])
    if _BREAKS.fullmatch(tag):
        return "\n"
    return " " if tag in _CELLS else ""


def _emoji(attributes: str) -> str:
    """Of an image, the emoji that it is drawn for; any other image is not text."""
    for found in _ATTRIBUTE.finditer(attributes):
        if found[1].lower() == "alt":
            text = html.unescape(found[2] or found[3] or found[4] or "")
            return "" if re.search(r"\w", text) else text.replace(_ITEM, "")
    return ""


def _plain_lines(text: str) -> list[str]:
    return _filled(text.replace(_ITEM, ""))


def _filled(text: str) -> list[str]:
    lines = (" ".join(line.translate(_UNSEEN).split()) for line in text.splitlines())
    return [line for line in lines if line.strip(_ITEM)]


def _same(wanted: list[str], shown: list[str]) -> bool:
    return len(wanted) == len(shown) and all(map(_same_line, wanted, shown))


def _same_line(wanted: str, shown: str) -> bool:
    if not shown.startswith(_ITEM):
        return wanted == shown
    item = shown[1:].strip()
    return wanted.lstrip(f"{_ITEM} ") == item or _BULLET.sub("", wanted, count=1) == item


def _is_markup(text: str) -> bool:
    """Whether a text is HTML itself: it has tags, and all are HTML's own."""
    names = [mark["name"] for mark in _MARK.finditer(text) if mark["name"]]
    return bool(names) and all(_is_html(name.lower()) for name in names)


def _is_html(tag: str) -> bool:
    return tag in _HIDDEN or any(tags.fullmatch(tag) for tags in (_BREAKS, _INLINE))

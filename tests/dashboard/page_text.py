"""What a page of the dashboard says: its text, its elements, its links."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser


def text_of(html: str) -> str:
    """What a reader reads, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(html)
    return parser.found


def linked_events(html: str) -> list[str]:
    return re.findall(r'href="/events/([0-9a-f]{32})"', html)

"""The page of a change as one file: no script, nothing to load, and no link that needs a server."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from tornado.template import DictLoader

from orchestrator.dashboard import words
from orchestrator.dashboard.pages.changes.page import ShownChange, words_of_page
from orchestrator.domain.documents.fields_of import fields_of

_HERE = Path(__file__).parents[2]
_TEMPLATES = ("change_file.html", "change_body.html", "change_backtest.html", "change_story.html")


def change_as_html(shown: ShownChange) -> str:
    """One HTML document, by the templates of the page."""
    texts = {name: (_HERE / "templates" / name).read_text("utf-8") for name in _TEMPLATES}
    style = (_HERE / "static" / "change_file.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    loader = DictLoader(texts, autoescape="escaped", namespace={"escaped": words.escaped})
    page = loader.load("change_file.html").generate(
        **fields_of(shown),
        style=style,
        style_hash=f"sha256-{digest}",
        **words_of_page(linked=False),
        by_link=False,
        when=words.when,
        timed=words.timed,
        told_step=words.told_step,
        or_nothing=words.or_nothing,
    )
    return page.decode()

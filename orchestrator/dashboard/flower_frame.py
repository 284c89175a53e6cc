"""Flower's own templates with what our pages share with them: tabs, style, script, shortcuts."""

from __future__ import annotations

_TABS = """{% for tab in our_tabs() %}
        <li class="nav-item">
          <a class="nav-link{% if active_tab == tab.name %} active{% end %}"
            href="{{ reverse_url(tab.name) }}"
            {% if active_tab == tab.name %}aria-current="page"{% end %}>{{ tab.title }}</a>
        </li>
{% end %}"""
_FOR_ALL = "{% set visitor = visitor_of(request) %}{% if visitor and visitor.sees_everything %}"
_KEYS = """
        <li class="nav-item">
          <button class="nav-link" type="button" id="shortcuts-open" hidden
            aria-label="Keyboard shortcuts" title="Keyboard shortcuts">?</button>
        </li>
"""
_STYLES = """
    <link href="{{ reverse_url('events-static', 'events.css') }}" rel="stylesheet">
    <link href="{{ reverse_url('events-static', 'desk.css') }}" rel="stylesheet">
"""
# Whoever came by a signed link sees one page: there is nowhere to go from it.
_SCRIPTS = """
    {% if visitor_of(request) %}{% include "shortcuts.html" %}{% end %}
    <script src="{{ reverse_url('events-static', 'live.js') }}"></script>
    <script src="{{ reverse_url('events-static', 'desk.js') }}"></script>
"""


def with_tabs(navbar: str) -> str:
    """Flower's navigation with our tabs before its own, and the button that lists the shortcuts.

    Its own are there for those who may open them.
    """
    head, begin, tail = navbar.partition('<ul class="app-nav navbar-nav">')
    tabs, end, rest = tail.partition("</ul>")  # its first list holds the tabs
    return f"{head}{begin}{_TABS}{_FOR_ALL}{tabs}{{% end %}}{_KEYS}{end}{rest}"


def with_ours(base: str) -> str:
    """Flower's frame of a page with our styles in its head, and our script at its end."""
    return base.replace("</head>", f"{_STYLES}</head>").replace("</body>", f"{_SCRIPTS}</body>")

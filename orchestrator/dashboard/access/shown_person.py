"""Who has come in, at the end of Flower's navigation, with the way out."""

from __future__ import annotations

_PERSON = """{% set visitor = visitor_of(request) %}{% if visitor %}
        <li class="nav-item">
          <a href="{{ reverse_url('sign-out') }}" class="nav-link">{{ visitor.name }}</a>
        </li>
        {% if visitor.token %}
        <li class="nav-item">
          <form method="post" action="{{ reverse_url('sign-out') }}">
            {% raw xsrf_form_html() %}
            <button class="nav-link" type="submit">Sign out</button>
          </form>
        </li>
        {% end %}
{% end %}"""


def with_person(navbar: str) -> str:
    """Flower's navigation with the person in its last list, which every page has."""
    head, end, tail = navbar.rpartition("</ul>")
    return f"{head}{_PERSON}{end}{tail}"

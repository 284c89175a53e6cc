"""Links between our pages and Flower's pages of tasks: by the events that a task's arguments name.

Flower keeps the last tasks that it heard of since it started, so it may know none of an event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flower.events import Events
from flower.utils.tasks import search_tasks

_MOST = 20  # tasks that the page of an event names
_EVENTS = re.compile(r"events=([0-9a-f]{32}(?:,[0-9a-f]{32})*)(?: |$)")  # as workers/chain.py shows


@dataclass(frozen=True, kw_only=True)
class SeenTask:
    """A task that Flower knows of."""

    id: str
    name: str
    state: str
    at: str | None  # when it was last heard of, as the store writes times


def events_in(arguments: object) -> list[str]:
    """The ids of the events that a task of ours was given; none for any other task."""
    found = _EVENTS.search(str(arguments or ""))
    return found[1].split(",") if found else []


def tasks_of(flower: Events, event_id: str) -> list[SeenTask]:
    """The last tasks that were given an event, the newest first."""
    if not re.fullmatch(r"[0-9a-f]{32}", event_id):
        return []
    page = search_tasks(flower, search=f"args:{event_id}", limit=_MOST)
    known = [(one, flower.state.tasks.get(one)) for one in page.task_ids]
    return [_seen(task_id, task) for task_id, task in known if task is not None]


def _seen(task_id: str, task: Any) -> SeenTask:
    at = task.timestamp and datetime.fromtimestamp(task.timestamp, UTC).isoformat()
    return SeenTask(id=task_id, name=str(task.name or ""), state=str(task.state), at=at or None)


_BEFORE = """      <div class="detail-row detail-row-code task-data-row">
        <dt>Keyword arguments</dt>"""
_LINKS = """      {% set event_ids = events_in(task.args) %}{% if event_ids %}
      <div class="detail-row task-data-row">
        <dt>{% if len(event_ids) == 1 %}Event{% else %}Events{% end %}</dt>
        <dd>
          {% for one in event_ids %}
          <a href="{{ reverse_url('event', one) }}"><code>{{ one }}</code></a>
          {% end %}
        </dd>
      </div>
      {% end %}
"""


def with_events(page: str) -> str:
    """Flower's page of a task with links to the events that the task was given."""
    head, mark, tail = page.partition(_BEFORE)
    return f"{head}{_LINKS if mark else ''}{mark}{tail}"

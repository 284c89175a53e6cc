"""The tabs of ours in Flower's navigation. To add one, add a row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One of our tabs; they come before Flower's own."""

    name: str  # what its pages call themselves: `active_tab`, and the name of the route
    title: str  # what people read
    address: str  # where its first page is
    order: int  # the smallest comes first
    key: str | None = None  # with `g` before it, the keys that lead there; each is given once


TABS = (
    Tab(name="now", title="Now", address="/now", order=10, key="n"),
    Tab(name="inbox", title="Inbox", address="/inbox", order=15, key="m"),
    Tab(name="incidents", title="Incidents", address="/incidents", order=20, key="i"),
    Tab(name="events", title="Events", address="/events", order=30, key="e"),
    Tab(name="destinations", title="Destinations", address="/destinations", order=40, key="d"),
    Tab(name="workflows", title="Workflows", address="/workflows", order=50, key="w"),
    Tab(name="changes", title="Changes", address="/changes", order=55, key="c"),
    Tab(name="approvals", title="Approvals", address="/approvals", order=57, key="y"),
    Tab(name="dead-letters", title="Dead letters", address="/dead-letters", order=60, key="l"),
    Tab(name="alerts", title="Alerts", address="/alerts", order=70, key="a"),
    Tab(name="jobs", title="Jobs", address="/jobs", order=75, key="j"),
    Tab(name="audit", title="Audit", address="/audit", order=80, key="u"),
)


def tabs_in_order() -> list[Tab]:
    """All tabs, as the navigation shows them."""
    return sorted(TABS, key=lambda tab: tab.order)

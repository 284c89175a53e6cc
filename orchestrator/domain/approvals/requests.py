"""A request for the approval of an event: its states, and groups of requests.

Its states are not those of the event: an event that is replayed may be asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.approvals.subject import digest_of
from orchestrator.domain.errors import Refused

MOST_IN_GROUP = 500
"""Requests that are decided together: one transaction holds all of their events."""


class RequestState(StrEnum):
    """The states of a request. Only the first one is ever left."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    LATE = "late"  # nobody decided in time, which is never a yes
    WITHDRAWN = "withdrawn"  # its event was given up meanwhile, as an erasure does


class EventDecision(StrEnum):
    """What an approver may say of an event."""

    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The requests of one route of a workflow, up to one: those that come later are not in it."""

    client: str
    workflow: str
    route: int  # from 1
    last: int  # the number of the newest request in it

    def __str__(self) -> str:
        """Its token.

        >>> str(Group(client="acme", workflow="leads", route=1, last=57))
        'acme.leads.1.57'
        """
        return f"{self.client}.{self.workflow}.{self.route}.{self.last}"


_GROUP = re.compile(r"([a-z0-9_-]+)\.([a-z0-9_-]+)\.([1-9][0-9]{0,2})\.([1-9][0-9]{0,17})")


def read_group(token: str) -> Group:
    """The group of a token. Raises Refused where it is not one.

    >>> read_group("acme.leads.1.57").last
    57
    """
    found = _GROUP.fullmatch(token)
    if found is None:
        raise Refused(
            f"{token!r} is not a group of requests",
            field="group",
            fix="take one from `meshline approvals list --groups`",
        )
    client, workflow, route, last = found.groups()
    return Group(client=client, workflow=workflow, route=int(route), last=int(last))


def is_group(token: str) -> bool:
    """Whether a text is the token of a group; an event's id has no dot."""
    return _GROUP.fullmatch(token) is not None


def group_digest(requests: Iterable[tuple[str, str]]) -> str:
    """What the approval of a group is of: the event and the digest of each request in it."""
    return digest_of(sorted(requests))

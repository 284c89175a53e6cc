"""A route that asks before it sends: who decides about an event, until when, and what they see."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from orchestrator.domain.errors import Fault
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.workflows.sla import between

if TYPE_CHECKING:
    from orchestrator.domain.workflows.workflow import Route


class RouteApproval(BaseModel):
    """What has to be said yes to before an event of this route is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["approver"] = "approver"  # of `owners`: who decides
    within: Annotated[StrictStr, between("1s", "31d")]  # by the calendar of `sla`, if there is one
    show: Annotated[tuple[StrictStr, ...], Field(max_length=50)] = ()  # facts, shown first

    @property
    def within_seconds(self) -> float:
        """How long the approver has."""
        return seconds(self.within)


def approval_faults(routes: Mapping[int, Route | None], facts: Collection[str]) -> Iterator[Fault]:
    """Facts that an approver would be shown and that are not there."""
    for index, route in routes.items():
        shown = route.approve.show if route and route.approve else ()
        for place, name in enumerate(shown):
            path = f"routes.{index}.approve.show.{place}"
            if name not in facts:
                problem = f"there is no fact `{name}`"
                yield Fault(path=path, problem=problem, fix=did_you_mean(name, facts))
            elif name in shown[:place]:
                yield Fault(path=path, problem=f"`{name}` comes twice", fix="name it once")

"""Who sends a request: somebody who may come in, or a stranger."""

from __future__ import annotations

from dataclasses import dataclass, field

from tornado.httputil import HTTPServerRequest

from orchestrator.domain.access.actor import Actor


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who may come in. Each operation asks the table of acts whether they may do it."""

    actor: Actor
    name: str  # as the navigation shows it
    clients: frozenset[str] | None  # whose rows they may see at this moment; None: everybody's
    token: str | None = field(default=None, repr=False)  # of the session, where they have one

    @property
    def sees_nothing(self) -> bool:
        """Whether they have no role by which to see anything."""
        return self.clients is not None and not self.clients

    @property
    def sees_everything(self) -> bool:
        """Whether they may see what is every client's, or nobody knows whose."""
        return self.clients is None


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """Somebody who may not come in yet."""

    nobody_yet: bool = False  # there are no people: the login of the settings is asked for
    why: str = ""  # why what they came with does not count; "" where they came with nothing


def mark(request: HTTPServerRequest, who: Visitor | Stranger) -> None:
    """Note on a request who sends it; pages find it there."""
    request.meshline_who = who  # type: ignore[attr-defined] # a request may carry what is ours


def visitor_of(request: HTTPServerRequest) -> Visitor | None:
    """Who sends a request, as the gate found; None: a stranger."""
    found = getattr(request, "meshline_who", None)
    return found if isinstance(found, Visitor) else None


def stranger_of(request: HTTPServerRequest) -> Stranger | None:
    """The stranger who sends a request; None: somebody who may come in."""
    found = getattr(request, "meshline_who", None)
    return found if isinstance(found, Stranger) else None

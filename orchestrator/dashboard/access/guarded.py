"""Our rules before those of a page, also of Flower's own: who asks, and where it comes from."""

from __future__ import annotations

from flower.views import BaseHandler
from tornado.web import HTTPError, RequestHandler

from orchestrator.dashboard.access.origins import is_from_here
from orchestrator.dashboard.access.visitor import visitor_of


class Guarded(BaseHandler):  # type: ignore[misc] # Flower has no types
    """A page behind the gate."""

    def set_default_headers(self) -> None:
        """Keep pages out of caches: after the sign-out nobody reads them there."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        """Count none: nobody keeps a page, so nobody asks whether it is still the same."""

    def get_current_user(self) -> str | None:
        """The name of who came in, which Flower calls the current user."""
        found = visitor_of(self.request)
        return found.name if found else None

    def check_xsrf_cookie(self) -> None:
        """Refuse what another site sends, and what does not bring the token of a page of ours."""
        request = self.request
        origin = self.application.entrance.origin
        if not is_from_here(request.headers, host=request.host, own=origin):
            raise HTTPError(403, "another site sent this, or nobody knows which")
        # Flower's own check asks for no token where it has a Basic login.
        RequestHandler.check_xsrf_cookie(self)


def guarded(page: type[RequestHandler]) -> type[RequestHandler]:
    """A page with our rules before its own."""
    if page not in _guarded:
        is_ours = issubclass(page, Guarded)
        _guarded[page] = page if is_ours else type(page.__name__, (Guarded, page), {})
    return _guarded[page]


_guarded: dict[type[RequestHandler], type[RequestHandler]] = {}

"""Pages for those who have not logged in: the answer to a stranger, and that of a store away."""

from __future__ import annotations

from urllib.parse import urlsplit

from orchestrator.dashboard.access.local_paths import HOME, login_with
from orchestrator.dashboard.access.visitor import stranger_of, visitor_of
from orchestrator.dashboard.pages.frame import StorePage

_ASK = 'Basic realm="meshline", charset="UTF-8"'


class OpenPage(StorePage):
    """A page that strangers may see."""

    def text(self, name: str) -> str:
        """A field of the form that was sent, as it was typed; "" where there is none."""
        return str(self.get_body_argument(name, "", strip=False))


class _AnyMethod(StorePage):
    """Answers every request alike, before anything is read of it."""

    def check_xsrf_cookie(self) -> None:
        """Nothing is done, whoever asks for it."""

    def prepare(self) -> None:
        """Answer any method."""
        self.answer()

    def answer(self) -> None:
        """Answer the request."""
        raise NotImplementedError


class AskForLogin(_AnyMethod):
    """What a stranger gets: the way to the login."""

    def answer(self) -> None:
        """Lead a person to the form, and tell a program."""
        stranger = stranger_of(self.request)
        if stranger is not None and stranger.nobody_yet:
            self._ask("Log in with MESHLINE_FLOWER_USER and its password.", challenge=True)
        elif "text/html" in self.request.headers.get("Accept", ""):
            self.redirect(login_with(self._back()), status=303)
        else:
            why = stranger.why if stranger else ""
            self._ask(why or "Log in at /login.", challenge=False)

    def _ask(self, text: str, *, challenge: bool) -> None:
        self.set_status(401)
        if challenge:
            self.set_header("WWW-Authenticate", _ASK)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{text}\n")

    def _back(self) -> str:
        """The page to come back to: the one asked for, or the one with the form that was sent."""
        if self.request.method in ("GET", "HEAD"):
            return str(self.request.uri)
        try:
            came_from = urlsplit(self.request.headers.get("Referer", ""))
        except ValueError:
            return HOME
        return came_from.path if came_from.netloc == self.request.host else HOME


class TurnedAway(_AnyMethod):
    """What somebody gets who has logged in, and whose roles are not enough for the page."""

    def answer(self) -> None:
        """Say what is missing."""
        visitor = visitor_of(self.request)
        if visitor is None or visitor.sees_nothing:
            why = "You have no role yet"
        else:
            why = "Workers, tasks and the broker are shown to people with a role for every client"
        self.set_status(403)
        self.page(
            "problem.html",
            title="You may not see that",
            detail=f"{why}. Ask an admin for one.",
        )


class StoreIsAway(_AnyMethod):
    """What anybody gets while nobody knows who they are."""

    def answer(self) -> None:
        """Say only that the store is away."""
        self.set_status(503)
        self.set_header("Retry-After", "5")
        stranger = stranger_of(self.request)
        self.page(
            "problem.html",
            title="The store cannot be read",
            detail=f"{stranger.why if stranger else ''}. Nobody is let in until it answers.",
        )

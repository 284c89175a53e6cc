"""A person who has no mouse, in a real browser."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

from tests.people import PASSWORD

MOST_KEYS = 25
SOON = 60_000  # milliseconds
"""Until something is seen that a busy machine takes a while for; nothing waits so long in vain."""


@dataclass(kw_only=True)
class Keyboard:
    """A person who has no mouse; the keys that they press are counted, text that they type not."""

    page: Page
    pressed: list[str] = field(default_factory=list)

    def press(self, key: str) -> None:
        """One key."""
        self.pressed.append(key)
        self.page.keyboard.press(key)

    def go_to(self, there: Locator) -> None:
        """Tab until it has the focus."""
        expect(there).to_be_visible(timeout=SOON)
        for _ in range(MOST_KEYS):
            if there.evaluate("one => one === document.activeElement"):
                return
            self.press("Tab")
        raise AssertionError(f"no way to {there} by Tab")

    def use(self, name: str, role: str = "button") -> None:
        """Go to a button or link and press Enter."""
        found = self.page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]
        self.go_to(found)
        with self.page.expect_navigation(timeout=SOON):
            self.press("Enter")

    def log_in(self, mail: str) -> None:
        """Through the form of the login."""
        expect(self.page.get_by_label("Mail address")).to_be_focused()
        self.page.keyboard.type(mail)
        self.press("Tab")
        self.page.keyboard.type(PASSWORD)
        with self.page.expect_navigation(timeout=SOON):
            self.press("Enter")

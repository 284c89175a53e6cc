"""The doctor's look at tokens: whether they can be kept, and those that are kept opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, ok
from orchestrator.domain.delivery.tokens import TokensUnusable

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from orchestrator.store.database.engine import Store


def tokens_problem(config: Settings) -> str | None:
    """Why no refresh token could be kept on this machine."""
    from orchestrator.operations.tokens.keys import keys_problem

    return keys_problem(config.token_key_text, home=config.home_of_store)


def look_at_tokens(store: Store, config: Settings) -> Iterator[CheckResult]:
    """Whether this machine opens the tokens that the store keeps; nothing where it keeps none."""
    from orchestrator.operations.tokens.opening import closed_logins

    home = config.home_of_store
    try:
        kept, closed = closed_logins(store, key=config.token_key_text, home=home)
    except TokensUnusable as error:
        yield attention(
            "tokens", str(error), "set it where workers run; here only if one runs here"
        )
        return
    if closed:
        found = f"no key of this machine opens those of {', '.join(closed)}"
        fix = (
            "add the key that sealed them to MESHLINE_TOKEN_KEY, behind the newest, or log in again"
        )
        yield attention("tokens", found, fix)
    elif kept:
        yield ok("tokens", f"those of {', '.join(kept)} can be opened")

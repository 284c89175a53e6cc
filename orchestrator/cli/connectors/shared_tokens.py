"""The tokens that `connectors try` shares with the workers, opened by a call that needs them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.who import actor
from orchestrator.domain.delivery.tokens import TokensUnusable
from orchestrator.domain.errors import MeshlineError

if TYPE_CHECKING:
    from orchestrator.domain.delivery.tokens import TokenKeeper


@contextmanager
def shared_tokens() -> Iterator[Callable[[], TokenKeeper]]:
    """What opens the place where tokens are kept, for the length of the block.

    It raises TokensUnusable, also where there is no store: tokens that were kept in a new one
    would be lost to the workers.
    """
    with ExitStack() as stack:

        @functools.cache
        def opened() -> TokenKeeper:
            from orchestrator.operations.tokens.opening import vault_of
            from orchestrator.settings import settings

            config = settings()
            try:
                store = stack.enter_context(opened_store())
            except MeshlineError as error:
                raise TokensUnusable(str(error)) from None
            home = config.home_of_store
            return vault_of(store, key=config.token_key_text, home=home, actor=actor(store).name)()

        yield opened

"""Wrong usage, exit code 2: what is wrong with the words of a command by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from orchestrator.domain.errors import Refused


class MissingOption(typer.BadParameter):
    """Raised when an option is missing that only some uses of a command need."""

    def __init__(self, option: str) -> None:
        super().__init__(f"missing option '{option}'")

    def format_message(self) -> str:
        """The message without typer's words before it."""
        return self.message


@contextmanager
def as_usage(option: str | None = None) -> Iterator[None]:
    """Make wrong usage of what the domain refuses in the text of an option.

    The rule is the domain's. Here it fails on what was typed, whatever the store holds. Raises
    BadParameter.
    """
    try:
        yield
    except Refused as refused:
        said = f"{refused.detail}; {refused.fix}" if refused.fix else refused.detail
        raise typer.BadParameter(said if option else str(refused), param_hint=option) from None

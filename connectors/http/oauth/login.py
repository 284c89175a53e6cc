"""What is shown for a token, with its references followed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from orchestrator.domain.delivery.tokens import Login
from orchestrator.domain.text.masking import pair_spellings, spellings


@dataclass(frozen=True, kw_only=True)
class OAuthLogin:
    """What is shown for a token."""

    connector: str
    grant: str
    token_url: str
    client_id: str
    client_secret: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)  # the first one, as the definition names it
    scope: str | None
    send_as: str

    @property
    def masks(self) -> frozenset[str]:
        """What no error may show."""
        login = pair_spellings(self.client_id, self.client_secret) if self.client_secret else set()
        return spellings(self.refresh_token or "").union(login)

    @property
    def kept_as(self) -> Login | None:
        """The login whose tokens all processes share; None where each may fetch its own.

        The digest tells nothing of the first refresh token, which nobody can guess (RFC 6749
        10.10). With another one it is another login.
        """
        if self.grant != "refresh_token":
            return None
        said = json.dumps([self.token_url, self.client_id, self.refresh_token])
        return Login(id=hashlib.sha256(said.encode()).hexdigest(), connector=self.connector)

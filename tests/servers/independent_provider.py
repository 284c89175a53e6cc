"""An identity provider of others (`oidc-provider-mock`, made of Authlib), as a process of its own.

It holds an installation to the secret, the way back and the sign-in of a code that it registered.
It knows no PKCE: that is tried against the provider in `identity_provider`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.waiting import eventually

ACCOUNTS: Mapping[str, Mapping[str, object]] = {
    "ada-1": {"email": "ada@acme.example", "email_verified": True},
    "eve-1": {"email": "eve@acme.example", "email_verified": True},  # no person
    "ben-1": {"email": "ben@acme.example"},  # nobody verified it
}
"""Claims by subject."""


@dataclass(kw_only=True)
class IndependentProvider:
    """Where it is, and what it calls us."""

    port: int
    log: Path
    client: str = ""
    secret: str = ""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its issuer."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it; every start makes a signing key, and forgets who registered."""
        users = [json.dumps({"sub": name, **claims}) for name, claims in ACCOUNTS.items()]
        options = [word for user in users for word in ("--user-claims", user)]
        command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), "--require-nonce", "true", *options],
                stdout=log,
                stderr=log,
            )
        assert eventually(lambda: self._ended() or self._answers()), self.log.read_text()
        assert not self._ended(), self.log.read_text()

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def register(self, back: str) -> None:
        """Be an installation to which it leads back at this address only."""
        asked = {"redirect_uris": [back], "token_endpoint_auth_method": "client_secret_post"}
        said = httpx.post(f"{self.url}/oauth2/clients", json=asked).raise_for_status().json()
        self.client, self.secret = said["client_id"], said["client_secret"]

    def change(self, subject: str, **claims: object) -> None:
        """Let it say something else of an account, until it starts anew."""
        httpx.put(f"{self.url}/users/{subject}", json=claims).raise_for_status()

    def key_ids(self) -> list[str]:
        """Of the keys by which it signs."""
        return [key["kid"] for key in httpx.get(f"{self.url}/jwks").json()["keys"]]

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/jwks").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def independent_provider(port: int, folder: Path) -> Iterator[IndependentProvider]:
    """One on a loopback port, for the length of the block."""
    provider = IndependentProvider(port=port, log=folder / "provider.log")
    try:
        provider.start()
        yield provider
    finally:
        provider.stop()

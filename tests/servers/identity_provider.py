"""An identity provider that speaks OpenID Connect, and lies where a test asks it to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "meshline", "a-cl1ent-secret"


class IdentityProvider:
    """Whom it names, and what it says wrongly."""

    def __init__(self) -> None:
        self.url = ""
        self.change_key()
        self.asked: list[str] = []  # paths, in order
        self.restore()
        self._codes: dict[str, Mapping[str, str]] = {}

    def change_key(self) -> None:
        """Sign by a new key from now on, and have that one only in the JWKS."""
        kid = secrets.token_hex(4)
        self.key = RSAKey.generate_key(2048, {"kid": kid})
        self.other = RSAKey.generate_key(2048, {"kid": kid})

    def restore(self) -> None:
        """Tell the truth of Ada."""
        self.claims: dict[str, object] = {
            "sub": "ada-1", "email": "ada@acme.example", "email_verified": True
        }  # fmt: skip
        self.lies: dict[str, object] = {}  # claims that are put over the right ones
        self.signed_by = "key"  # `other`: a key that is not in its JWKS; `none`: nobody
        self.padding = 0  # bytes more in the document of its addresses

    def document(self) -> dict[str, object]:
        """What it says of itself."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "padding": "x" * self.padding,
        }

    def authorize(self, asked: Mapping[str, str]) -> str:
        """The address to which the browser goes back, with a code."""
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeem(self, given: Mapping[str, str]) -> tuple[int, dict[str, object]]:
        """An ID token for a code, once, to whoever has the verifier and the secret."""
        asked = self._codes.pop(given.get("code", ""), None)
        if asked is None or given["client_secret"] != SECRET:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if given["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self._token(asked)}

    def _token(self, asked: Mapping[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": asked["client_id"],
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
            **self.lies,
        }
        if self.signed_by == "none":
            parts = [{"alg": "none"}, claims]
            texts = [base64.urlsafe_b64encode(json.dumps(one).encode()) for one in parts]
            return ".".join([*(one.decode().rstrip("=") for one in texts), ""])
        key = self.key if self.signed_by == "key" else self.other
        return jwt.encode({"alg": "RS256", "kid": str(key.kid)}, claims, key)


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """One on a loopback port, for the length of the block."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/authorize":
                asked = {name: found[0] for name, found in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif parts.path == "/jwks":
                self._answer(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self._answer(200, provider.document())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(*provider.redeem({key: one[0] for key, one in parse_qs(body).items()}))

        def _answer(self, status: int, document: Mapping[str, object]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()

"""A small OpenID Connect provider on this machine: honest unless a test says otherwise."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import anyio
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID = "safemed-at-hospital"
CLIENT_SECRET = "a+secret/of=the:hospital"
LABEL = "Example Hospital"


@cache
def rsa_key(name: str, owner: str = "provider") -> RSAKey:
    """One key a name and owner: making them takes time."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@dataclass
class LocalProvider:
    """The provider; a test changes a field to have it misbehave."""

    issuer: str = ""
    subject: str = "subject-QJ7"
    asks: bool = False
    """Whether its page waits for a press on "Sign in", as in a browser."""
    key: RSAKey = field(default_factory=lambda: rsa_key("first"))
    signs_with: RSAKey | None = None
    """Another key than the one published."""
    alg: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    """Replace the honest ones; None leaves a claim out."""
    metadata: dict[str, Any] = field(default_factory=dict)
    token_answer: dict[str, Any] | None = None
    """Instead of the honest answer of the token endpoint."""
    token_status: int = 200
    delay_s: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)
    """What came to the authorization endpoint."""
    refused: list[str] = field(default_factory=list)
    """Why the token endpoint refused."""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/openid-configuration", self._configuration),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/keys", self._keys),
        ]

    async def _configuration(self, _request: Request) -> Response:
        await anyio.sleep(self.delay_s)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                **self.metadata,
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        if self.asks:
            return HTMLResponse(
                f"<h1>{LABEL}</h1><a href='{html.escape(back)}'>Sign in as Dr Example</a>"
            )
        return RedirectResponse(back, 302)

    async def _token(self, request: Request) -> Response:
        await anyio.sleep(self.delay_s)
        sent = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        asked = self._codes.pop(sent.get("code", ""), None)
        why = self._why_not(request, sent, asked)
        if why or asked is None:
            self.refused.append(why)
            return JSONResponse({"error": "invalid_grant"}, 400)
        honest = {
            "access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300,
            "id_token": self._identity(asked),
        }  # fmt: skip
        return JSONResponse(self.token_answer or honest, self.token_status)

    def _why_not(self, request: Request, sent: dict[str, str], asked: dict[str, str] | None) -> str:
        if asked is None:
            return "code"
        if not self._is_client(request, sent):
            return "client"
        if sent.get("redirect_uri") != asked["redirect_uri"]:
            return "redirect_uri"
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        is_pkce = asked.get("code_challenge_method") == "S256"
        is_kept = asked.get("code_challenge") == in_base64(digest)
        return "" if is_pkce and is_kept else "code_verifier"

    def _is_client(self, request: Request, sent: dict[str, str]) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Basic ")
        pair = (
            base64.b64decode(given).decode()
            or f"{sent.get('client_id')}:{sent.get('client_secret')}"
        )
        return pair == f"{CLIENT_ID}:{CLIENT_SECRET}"

    def _identity(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        honest = {
            "iss": self.issuer, "sub": self.subject, "aud": asked["client_id"],
            "exp": now + 300, "iat": now, "nonce": asked.get("nonce"),
        }  # fmt: skip
        claims = {k: v for k, v in {**honest, **self.claims}.items() if v is not None}
        if self.alg == "none":
            return by_hand(claims, self.alg)
        if self.alg == "HS256":
            return by_hand(claims, self.alg, self.key.as_pem(private=False))
        key = self.signs_with or self.key
        return jwt.encode({"alg": self.alg, "kid": key.kid}, claims, key)


def by_hand(claims: dict[str, Any], alg: str, secret: bytes = b"") -> str:
    """A token such as no library makes: unsigned, or signed with what everybody knows."""
    parts = (json.dumps(part).encode() for part in ({"alg": alg, "typ": "JWT"}, claims))
    said = ".".join(map(in_base64, parts))
    signature = hmac.new(secret, said.encode(), hashlib.sha256).digest() if secret else b""
    return f"{said}.{in_base64(signature)}"


def in_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@contextmanager
def local_provider(**changes: Any) -> Iterator[LocalProvider]:
    """A provider that answers on a free port until the block ends."""
    provider = LocalProvider(**changes)
    config = uvicorn.Config(
        Starlette(routes=provider.routes()), port=0, log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    provider.issuer = f"http://127.0.0.1:{port}"
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def installation_file(directory: Path, issuer: str, **changes: str) -> Path:
    """The file that `SAFEMED_OIDC` names, with its secret beside it."""
    secret = directory / "oidc.secret"
    secret.write_text(CLIENT_SECRET + "\n")
    secret.chmod(0o600)
    values = {
        "issuer": issuer, "client_id": CLIENT_ID, "secret_file": secret.name, "label": LABEL,
        **changes,
    }  # fmt: skip
    path = directory / "oidc.toml"
    path.write_text("".join(f'{name} = "{value}"\n' for name, value in values.items()))
    return path

"""Asking an OpenID Connect provider who somebody is: code flow with PKCE, state and nonce.

Authlib does the protocol. Ours are the limits: one issuer, algorithms that only the provider can
sign with, a state that is good once and for one browser, and an answer within seconds.

Source: OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3.7; Discovery 1.0, section 4.3; RFC 7636
(PKCE); RFC 9207 (issuer in the response).
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
from starlette.requests import Request

from app.institution import Institution, InstitutionError, require_encrypted
from study.institution_accounts import InstitutionAccount

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import StarletteOAuth2App

NAME = "institution"
CALLBACK = "/institution/callback"
CONFIRMED = "confirmed"
FLOW_S = 600.0
"""How long somebody may take at the provider."""
ANSWER_S = 10.0
"""How long the provider may take to answer us."""
SKEW_S = 60
"""How far the provider's clock may be from ours."""
ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))
"""Signatures that only the holder of a private key can make: never `none` or a shared secret."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
MAX_FLOWS = 10_000
MAX_SUBJECT = 255


class ProviderDownError(Exception):
    """The provider does not answer, or not as a provider does."""


class NotConfirmedError(Exception):
    """The provider's answer proves nobody's identity."""


@dataclass(slots=True)
class Flows:
    """What Authlib keeps while somebody is at the provider; each entry is taken once.

    It is kept here and not in the browser, so that a state used once is gone whatever the browser
    kept; the browser holds a signed mark that says which one is its own.
    """

    _kept: OrderedDict[str, tuple[float, str]] = field(default_factory=OrderedDict)

    async def get(self, key: str) -> str | None:
        """What was kept, or None."""
        until, value = self._kept.get(key, (0.0, ""))
        return value if until > time.monotonic() else None

    async def set(self, key: str, value: str, _expires_in: float) -> None:
        """Keep it for `FLOW_S`; the oldest make room."""
        self._kept[key] = (time.monotonic() + FLOW_S, value)
        while len(self._kept) > MAX_FLOWS:
            self._kept.popitem(last=False)

    async def delete(self, key: str) -> None:
        """Forget it."""
        self._kept.pop(key, None)


class Provider:
    """The institution's provider, asked for one thing: whose browser this is."""

    def __init__(self, institution: Institution) -> None:
        from authlib.integrations.starlette_client import OAuth

        self.institution = institution
        self._flows = Flows()
        self._client: StarletteOAuth2App = OAuth(cache=self._flows).register(
            NAME,
            client_id=institution.client_id,
            client_secret=institution.client_secret,
            server_metadata_url=f"{institution.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                # Neither name nor address is asked for.
                "scope": "openid", "code_challenge_method": "S256", "timeout": ANSWER_S,
            },
        )  # fmt: skip

    async def begin(self, request: Request, *, linking: str = "") -> str:
        """The provider's address to which the browser goes.

        Args:
            request: Whose `session` is marked.
            linking: Digest of the session that is to be linked; empty for signing in.

        Raises:
            ProviderDownError: If the provider does not say where that is.
        """
        await self._discover()
        back = self._back(request)
        made = await self._client.create_authorization_url(back, prompt=self.institution.prompt)
        await self._client.save_authorize_data(request, redirect_uri=back, linking=linking, **made)
        return str(made["url"])

    async def finish(self, request: Request) -> tuple[InstitutionAccount, str]:
        """Whom the provider has named to the browser that has come back, and what was `linking`.

        Raises:
            ProviderDownError: If the provider does not answer.
            NotConfirmedError: If its answer is not for us, not now, not signed, or not asked for.
        """
        await self._discover()
        state = request.query_params.get("state", "")
        kept = await self._client.framework.get_state_data(request.session, state) or {}
        if request.query_params.get("iss", self.institution.issuer) != self.institution.issuer:
            raise NotConfirmedError("the answer is another issuer's")
        return self._account(await self._claims(request)), str(kept.get("linking", ""))

    async def keep(self, request: Request, account: InstitutionAccount) -> None:
        """Remember whom the provider named while they choose a study; this browser's alone."""
        request.session[CONFIRMED] = mark = secrets.token_urlsafe(32)
        await self._flows.set(f"{CONFIRMED} {mark}", account.subject, FLOW_S)

    async def take(self, request: Request) -> InstitutionAccount | None:
        """Whom the provider named, once; None if nobody, or too long ago."""
        key = f"{CONFIRMED} {request.session.pop(CONFIRMED, '')}"
        subject = await self._flows.get(key)
        await self._flows.delete(key)
        return InstitutionAccount(self.institution.issuer, subject) if subject else None

    async def _claims(self, request: Request) -> Mapping[str, Any]:
        """The claims of an identity token that was checked."""
        from authlib.common.errors import AuthlibBaseError
        from authlib.oidc.core import UserInfo
        from joserfc.errors import JoseError

        ours = self.institution
        try:
            with anyio.fail_after(ANSWER_S):
                # Authlib leaves the audience unchecked where nothing is said of it.
                token = await self._client.authorize_access_token(
                    request,
                    claims_options={
                        "iss": {"essential": True, "value": ours.issuer},
                        "aud": {"essential": True, "value": ours.client_id},
                    },
                    leeway=SKEW_S,
                )  # fmt: skip
        except (TimeoutError, _http_error()) as error:
            raise ProviderDownError(type(error).__name__) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            raise NotConfirmedError(type(error).__name__) from error
        claims = token.get("userinfo")
        # What a provider sends under that name beside its token is signed by nobody.
        return claims if isinstance(claims, UserInfo) else {}

    def _account(self, claims: Mapping[str, Any]) -> InstitutionAccount:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
            raise NotConfirmedError("no subject")
        return InstitutionAccount(self.institution.issuer, subject)

    async def _discover(self) -> None:
        """Learn the provider's addresses, once.

        Raises:
            ProviderDownError: If they cannot be learnt, or are not those of the issuer.
        """
        try:
            with anyio.fail_after(ANSWER_S):
                found = await self._client.load_server_metadata()
            self._check(found)
        except (TimeoutError, _http_error(), ValueError, TypeError, InstitutionError) as error:
            self._client.server_metadata.clear()
            raise ProviderDownError(type(error).__name__) from error

    def _check(self, found: dict[str, Any]) -> None:
        if found.get("issuer") != self.institution.issuer:
            raise ValueError("the configuration is another issuer's")
        for name in ENDPOINTS:
            require_encrypted(str(found.get(name)), name)
        said = found.get("id_token_signing_alg_values_supported") or ["RS256"]
        found["id_token_signing_alg_values_supported"] = [a for a in said if a in ALGORITHMS]
        ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic"
        found["token_endpoint_auth_method"] = basic if basic in ways else "client_secret_post"

    def _back(self, request: Request) -> str:
        """Our own callback, under the configured address; without one, on this machine."""
        base = self.institution.base_url or f"http://{urlsplit(str(request.base_url)).netloc}"
        return base + CALLBACK


def _http_error() -> type[Exception]:
    """What Authlib's HTTP client raises; Authlib takes httpx2 where that is installed."""
    try:
        import httpx2 as http
    except ImportError:
        import httpx as http  # type: ignore[no-redef]
    return http.HTTPError

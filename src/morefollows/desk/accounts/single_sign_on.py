"""Signing in by the newsroom's OpenID Connect provider. allauth speaks the protocol, with PKCE.

`accounts.sign_in.external` says which account the provider's person has.
"""

from __future__ import annotations

import logging
from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.sign_in import external
from morefollows.accounts.sign_in.id_tokens import BadIdToken, checked_claims
from morefollows.audit.actions import record
from morefollows.desk.accounts import signing_in

_PROVIDER = "sso"
_SECONDS = 600

log = logging.getLogger(__name__)


@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Redirects to the provider. It asks again who it is if the editor is signed in already."""
    provider = _provider(request)
    if not request.user.is_authenticated:
        request.session.set_expiry(_SECONDS)  # the session holds nothing but the state
    again = {"auth_params": {"prompt": "login"}} if request.user.is_authenticated else {}
    response: HttpResponse = provider.redirect(
        request, "login", next_url=signing_in.onward(request), **again
    )
    if response.status_code != 302:
        return response
    # Not a redirect: our policy's form-action would have the browser refuse it, wherever it leads.
    context = {"url": response.headers["Location"], "provider": settings.MOREFOLLOWS.oidc_name}
    return render(request, "accounts/to_provider.html", context)


@never_cache
@require_safe
def answer(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The provider sends the browser here."""
    if provider_id != _PROVIDER:
        raise Http404("no such provider")
    _provider(request)
    response: HttpResponse = _callback()(request)
    return response


def _callback() -> Any:
    """The view that takes the provider's answer, stricter than allauth's own.

    The ID token's signature is checked even if it came straight from the provider, and what the
    provider says of its person has to be about the person of the token (OpenID Connect Core 1.0
    §3.1.3.7 and §5.3.2).
    """
    from allauth.socialaccount.adapter import get_adapter
    from allauth.socialaccount.providers.oauth2.client import OAuth2Error
    from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
    from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter

    class Strict(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
        def __init__(self, request: HttpRequest) -> None:
            super().__init__(request, _PROVIDER)

        def complete_login(self, request: HttpRequest, app: Any, token: Any, **more: Any) -> Any:
            if not more["response"].get("id_token"):
                raise OAuth2Error("the provider sent no ID token")
            login = super().complete_login(request, app, token, **more)
            claims = login.account.extra_data
            if claims.get("userinfo", {}).get("sub") not in (None, claims["id_token"].get("sub")):
                raise OAuth2Error("the ID token is about somebody else")
            return login

        def _decode_id_token(self, app: Any, id_token: str) -> Any:
            try:
                return checked_claims(
                    id_token,
                    issuer=self.openid_config["issuer"],
                    client=app.client_id,
                    secret=app.secret,
                    key_set=self._key_set,
                )
            except BadIdToken as wrong:
                log.warning("the provider's ID token is not good: %s", wrong)
                raise OAuth2Error(str(wrong)) from wrong

        def _key_set(self) -> Any:
            with get_adapter().get_requests_session() as session:
                response = session.get(self.openid_config["jwks_uri"])
                response.raise_for_status()
                return response.json()

    return OAuth2CallbackView.adapter_view(Strict)


def _provider(request: HttpRequest) -> Any:
    if not settings.MOREFOLLOWS.oidc_issuer:
        raise Http404("no provider is set")
    return SingleSignOn(request).get_provider(request, _PROVIDER)


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """`SOCIALACCOUNT_ADAPTER`: takes over as soon as the provider has said who it is."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> NoReturn:
        data = sociallogin.account.extra_data
        claims = {**data.get("id_token", {}), **data.get("userinfo", {})}
        try:
            editor = external.editor_of_claims(
                external.Claims(
                    provider=settings.MOREFOLLOWS.oidc_issuer[:200],
                    subject=str(sociallogin.account.uid),
                    email=str(claims.get("email") or "").strip().lower(),
                    verified=claims.get("email_verified") in (True, "true"),
                    name=str(claims.get("name") or ""),
                    role=external.role_of(claims),
                )
            )
        except external.SignOnRefused as refused:
            raise ImmediateHttpResponse(_refused(request, str(refused))) from None
        onward = sociallogin.get_redirect_url(request) or "/desk/"
        raise ImmediateHttpResponse(
            signing_in.finish(request, editor, "single sign-on", onward, two_factors=True)
        )

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, **_more: Any
    ) -> NoReturn:
        raise ImmediateHttpResponse(_refused(request, ""))


def _refused(request: HttpRequest, words: str) -> HttpResponse:
    record(None, "sign in failed", kind="single sign-on", reason=words)
    return render(request, "accounts/sign_on_refused.html", {"words": words}, status=403)

"""What a provider's answer has to be before it opens the desk."""

from __future__ import annotations

import dataclasses
import html
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom

pytestmark = pytest.mark.django_db
ISSUER = "https://login.example"
SECRET = "a secret of the client, long enough for HS512 " * 2
Answers = dict[str, Any]


class Provider:
    """Answers what allauth asks of a provider. `key` signs; `published` is what it says of it."""

    def __init__(self) -> None:
        self.key: Any = rsa.generate_private_key(65537, 2048)
        self.published = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.published |= {"kid": "1", "alg": "RS256"}
        self.algorithm, self.header = "RS256", {"kid": "1"}
        self.claims: Answers = {"iss": ISSUER, "aud": "morefollows", "sub": "7"}
        self.userinfo: Answers = {"sub": "7", "email": "ada@herald.example", "email_verified": True}

    def answer(self, url: str) -> Answers:
        path = url.removeprefix(ISSUER)
        if path == "/keys":
            return {"keys": [self.published]}
        if path == "/me":
            return self.userinfo
        if path == "/token":
            claims = {"exp": time.time() + 60, "iat": time.time(), **self.claims}
            claims = {name: value for name, value in claims.items() if value is not None}
            token = jwt.encode(claims, self.key, self.algorithm, self.header)
            return {"access_token": "a", "token_type": "Bearer", "id_token": token}
        names = ("authorization", "token", "userinfo")
        ways = zip(names, ("/ask", "/token", "/me"), strict=True)
        return {
            "issuer": ISSUER,
            "jwks_uri": f"{ISSUER}/keys",
            **{f"{name}_endpoint": ISSUER + path for name, path in ways},
        }


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    made = Provider()

    def send(_self: object, request: requests.PreparedRequest, **_more: object) -> Any:
        response = requests.Response()
        response.status_code = 200
        response.headers["Content-Type"] = "application/json"
        response.json = lambda **_more: made.answer(str(request.url))  # type: ignore[method-assign]
        response.request = request
        return response

    monkeypatch.setattr(requests.Session, "send", send)
    from allauth.socialaccount.providers import registry
    from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider

    registry.load()
    monkeypatch.setitem(registry.provider_map, OpenIDConnectProvider.id, OpenIDConnectProvider)
    config = dataclasses.replace(
        settings.MOREFOLLOWS, oidc_issuer=ISSUER, oidc_client_id="morefollows"
    )
    monkeypatch.setattr(settings, "MOREFOLLOWS", config)
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    monkeypatch.setitem(app, "client_id", "morefollows")
    monkeypatch.setitem(app, "secret", SECRET)
    monkeypatch.setitem(app, "settings", {"server_url": ISSUER})
    yield made


def status(client: Client) -> int:
    """Signs in as far as the provider lets one, and then asks for the desk."""
    begun = client.post("/desk/sign-in/sso/")
    [state] = re.findall(r"[?&]state=([^&\"']+)", html.unescape(begun.content.decode()))[:1]
    client.get(f"/desk/sign-in/sso/answer/?code=c&state={state}")
    return client.get("/desk/").status_code


def by_secret(provider: Provider) -> None:
    provider.key, provider.algorithm, provider.header = SECRET, "HS256", {}


def another_key(provider: Provider) -> None:
    provider.key = rsa.generate_private_key(65537, 2048)


def another_secret(provider: Provider) -> None:
    by_secret(provider)
    provider.key = SECRET[::-1]


def no_signature(provider: Provider) -> None:
    provider.key, provider.algorithm = None, "none"


def no_key_is_named(provider: Provider) -> None:
    provider.header = {}


def key_without_name(provider: Provider) -> None:
    del provider.published["kid"]


def unknown_key(provider: Provider) -> None:
    provider.header = {"kid": "2"}


def public_key_as_secret(provider: Provider) -> None:
    by_secret(provider)
    provider.key = str(provider.published["n"])


def other_client(provider: Provider) -> None:
    provider.claims["aud"] = "another"


def other_issuer(provider: Provider) -> None:
    provider.claims["iss"] = "https://evil.example"


def out_of_time(provider: Provider) -> None:
    provider.claims["exp"] = time.time() - 10


def without_end(provider: Provider) -> None:
    provider.claims["exp"] = None


def other_person(provider: Provider) -> None:
    provider.userinfo["sub"] = "8"


@pytest.mark.usefixtures("ada", "newsroom")
@pytest.mark.parametrize(
    "change", [lambda _provider: None, by_secret, no_key_is_named, key_without_name]
)
def test_what_is_signed_opens_the_desk(
    provider: Provider, change: Callable[[Provider], None]
) -> None:
    change(provider)
    assert status(Client()) == 200


@pytest.mark.usefixtures("ada", "newsroom")
@pytest.mark.parametrize(
    "change",
    [another_key, another_secret, no_signature, unknown_key, public_key_as_secret,
     other_client, other_issuer, out_of_time, without_end, other_person],
)  # fmt: skip
def test_what_is_not_as_it_should_be_opens_nothing(
    provider: Provider, change: Callable[[Provider], None], newsroom: Newsroom, ada: Editor
) -> None:
    change(provider)
    assert status(Client()) == 302

"""Every route with a token is marked, and everything that has to follow from the mark does."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import product
from urllib.robotparser import RobotFileParser

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from morefollows.audience.models import Newsroom
from morefollows.helpers import token_routes
from morefollows.processes.logs import OneLine

#: Parameters of any text that prove nothing: the names of a file and of a relay. Requests of the
#: API prove who asks by a header.
NO_SECRETS = {
    "images/<str:file>",
    r"^api/(?P<rest>[\s\S]+)$",
    "api/v1/webhooks/<uuidstr:webhook_id>/secret",
    "desk/settings/delivery/relays/<str:name>/",
    "desk/settings/delivery/relays/<str:name>/remove/",
}
#: Without a form that is posted, or with one that is checked for CSRF.
OTHER_FORMS = {token_routes.OWN_DATA, token_routes.FIRST_SIGN_IN}
TOKEN = "AbCd-_09" * 4 + "xYz1"


@pytest.fixture
def visitor() -> Client:
    return Client()


def routes() -> list[str]:
    def below(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from below(pattern.url_patterns, route)
            else:
                yield route

    return list(below(get_resolver().url_patterns))


def address(route: str) -> str:
    return "/" + re.sub(r"<[^>]*>", TOKEN, route)


def test_each_route_with_a_token_bears_the_mark_and_each_mark_is_a_route() -> None:
    texts = {route for route in routes() if re.search(r"<(str|path):|<[^:>]+>|token|secret", route)}
    assert texts - NO_SECRETS == set(token_routes.ALL)


@pytest.mark.parametrize("begin", token_routes.BEGINNINGS)
def test_a_beginning_is_of_marked_routes_alone(begin: str) -> None:
    assert [
        route
        for route in routes()
        if f"/{route}".startswith(begin) and route not in token_routes.ALL
    ] == []
    assert re.fullmatch(r"/[a-z/-]+/", begin), (
        "or every address would be taken for one with a token"
    )


@pytest.mark.parametrize("route", token_routes.ALL)
def test_responses_are_kept_nowhere_and_listed_nowhere(
    route: str, visitor: Client, newsroom: Newsroom
) -> None:
    whole = address(route)
    for method, path in product(
        ("get", "head", "post", "put"), (whole, whole.rstrip("/"), whole + "nothing/")
    ):
        headers = getattr(visitor, method)(path).headers
        assert {"no-store", "private"} <= set(headers["Cache-Control"].split(", ")), path
        assert headers["X-Robots-Tag"] == "noindex, nofollow", path
        assert headers["Referrer-Policy"] in ("no-referrer", "strict-origin"), path


@pytest.mark.parametrize("route", sorted({*token_routes.ALL} - OTHER_FORMS))
def test_forms_of_readers_need_no_referrer_and_so_tell_none(route: str, newsroom: Newsroom) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(address(route), headers={"Origin": "null"})
    assert answer.status_code != 403
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_server_error_is_kept_nowhere_either(
    visitor: Client, newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("morefollows.audience.link_tokens.links.leaving", lambda token: 1 / 0)
    visitor.raise_request_exception = False
    answer = visitor.get(address(token_routes.LEAVE))
    assert answer.status_code == 500
    assert (
        "no-store" in answer.headers["Cache-Control"]
        and answer.headers["Referrer-Policy"] == "no-referrer"
    )


def test_robots_keep_away(visitor: Client, newsroom: Newsroom) -> None:
    rules = RobotFileParser()
    rules.parse(visitor.get("/robots.txt").content.decode().splitlines())
    for route in token_routes.ALL:
        assert not rules.can_fetch("Anybot", f"{settings.MOREFOLLOWS.url}{address(route)}"), route
    assert rules.can_fetch("Anybot", f"{settings.MOREFOLLOWS.url}/story/")


@pytest.mark.parametrize("route", token_routes.ALL)
@pytest.mark.parametrize(
    "text",
    [
        "Not Found: %s",
        "Gone: https://herald.example%s",
        '"%s" (x)',
        "550 see <http://a.example:8025%s>",
    ],
)
def test_no_log_line_shows_a_token(route: str, text: str) -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, text, (address(route),), None)
    line = OneLine().format(record)
    assert TOKEN not in line and "/…" in line


def test_the_log_of_an_error_shows_no_token_and_other_addresses_are_whole() -> None:
    try:
        raise ValueError(f"GET {address(token_routes.PREFERENCES)}")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 0, "failed", (), (type(error), error, None)
        )
    assert TOKEN not in OneLine().format(record)
    plain = "Not Found: /desk/story/new/ /sign-up/breaking/"
    assert plain in OneLine().format(
        logging.LogRecord("x", logging.WARNING, "", 0, plain, (), None)
    )


def test_no_log_line_shows_a_token_of_a_query() -> None:
    text = "Not Found: /sign-up/sport/?lang=en&invitation=%s /callback/?code=%s&state=%s"
    record = logging.LogRecord("x", logging.WARNING, "", 0, text, (TOKEN, TOKEN, TOKEN), None)
    line = OneLine().format(record)
    assert TOKEN not in line
    assert line.endswith("?lang=en&invitation=… /callback/?code=…&state=…")

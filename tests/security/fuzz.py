"""Sends nonsense to every route: wrong types, lengths, encodings, methods, and roles.

An answer is right if it is none of ours to be sorry about: no status of 500 or more, no exception,
and the headers that every page has. `test_fuzz.py` sends some, `make security` many.
"""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from hypothesis import strategies as st

from tests.support.routes import Route

METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
_ODD = (
    "",
    "0",
    "-1",
    "1",
    "9" * 5000,
    "9223372036854775807",
    "9223372036854775808",
    "1e309",
    "NaN",
    "١٢٣",  # digits that int() takes
    "²",  # a digit that it does not
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\x1b[31m",
    "\u202e\u2066",
    "'\"><script>alert(1)</script>",
    "' OR 1=1 --",
    "{{7*7}}${7*7}%s%n{0}",
    "../../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    "x" * 100_000,
    "é" * 10_000,
    "👩‍👩‍👧" * 500,
    "2026-02-30T25:61",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "a@b@c",
    "on",
    "[]",
    "[[](",
)
#: Names that some form of ours has, so that the nonsense gets somewhere.
FIELDS = (
    *("email", "address", "name", "password", "next", "topic", "language", "lang", "page"),
    *("headline", "standfirst", "text", "note", "kind", "answers", "revision", "uuid", "audience"),
    *("at", "embargo_until", "flash", "alone", "reason", "check", "by_itself", "writing", "gone"),
    *("before", "after", "since", "until", "who", "what", "about", "days", "scheme", "relay"),
    *("purpose", "mark", "sure", "site", "reader", "version", "seen", "publish", "ticket"),
    *("frequency", "most_a_day", "quiet_from", "quiet_to", "time_zone", "digest", "wanted"),
    *("do", "hold", "four_eyes", "url", "events", "scopes", "profile", "interval_seconds"),
    *("host", "port", "security", "user", "weight", "main", "link", "typeface", "into", "sources"),
    *("approver", "approval_note", "candidate", "origin", "credit", "when", "day", "clock"),
    *("own_name", "code", "answer", "state", "factor", "session", "topics", "every_topic"),
    *("most_urgency", "words", "action", "tells", "languages", "time_zone", "sender_address"),
    *("token", "List-Unsubscribe", "offers", "back", "domain", "alt", "caption", "file", "role"),
)
_TEXT = st.one_of(st.sampled_from(_ODD), st.text(st.characters(), max_size=40))
_FORM = st.dictionaries(
    st.one_of(st.sampled_from(FIELDS), _TEXT.filter(lambda text: len(text) < 50)),
    st.one_of(_TEXT, st.lists(_TEXT, max_size=3)),
    max_size=6,
)
_TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json",
    "text/plain; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nonsense",
    "image/svg+xml",
    "",
)
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Language": st.sampled_from(("de", "xx-" + "y" * 400, "*;q=9", "\xff")),
        "Accept": st.sampled_from(("application/json", "text/event-stream", "\xe9/*")),
        "Cookie": st.sampled_from(("a=b", "morefollows-desk=" + "z" * 300, "=\xff; ;", "csrf")),
        "If-None-Match": st.sampled_from(('"x"', "W/", "*")),
        "If-Modified-Since": st.sampled_from(("yesterday", "Thu, 99 Foo 20260 99:99:99 GMT")),
        "Last-Event-ID": st.sampled_from(("9" * 40, "-1", "x")),
        "Range": st.sampled_from(("bytes=9-1", "bytes=-", "bytes=0-0,1-1")),
        "HX-Request": st.just("true"),
        "Origin": st.sampled_from(("null", "https://evil.example", "javascript:", "\xff")),
        "Referer": st.sampled_from(("\xff", "https://evil.example/\x7f")),
        "X-Forwarded-For": st.sampled_from(("192.0.2.5:4711", "::1%x", "a, b, c", "," * 200)),
        "User-Agent": st.sampled_from(("", "x" * 3000)),
    },
)


@st.composite
def requests(draw: st.DrawFn, route: Route, known: dict[str, str]) -> dict[str, Any]:
    """Arguments of `Client.generic`. `known`: parts of paths that lead to something."""
    parts = {
        name: known.get(name, "")
        if draw(st.booleans()) and name in known
        else draw(_part(converter))
        for name, converter in route.parts.items()
    }
    method = draw(st.sampled_from(METHODS[:2] * 3 + METHODS))
    form = draw(_FORM)
    asked = {"method": method, "path": route.address(parts), "form": form, "headers": {}}
    asked["headers"] = draw(_HEADERS)
    asked["kind"] = draw(st.sampled_from(_TYPES[:1] * 6 + _TYPES))
    asked["raw"] = draw(st.one_of(st.none(), st.none(), st.none(), st.binary(max_size=300)))
    asked["in_query"] = draw(st.booleans())
    return asked


def _part(converter: str) -> st.SearchStrategy[str]:
    match converter:
        case "uuid":
            return st.one_of(st.uuids().map(str), st.sampled_from(("x", "0" * 36)))
        case "int":
            return st.sampled_from(("0", "1", "9" * 5000, "9223372036854775808", "-1", "١"))
        case "slug":
            return st.sampled_from(("breaking", "politics", "none", "-", "x" * 3000))
        case _other:
            return st.one_of(_TEXT.map(lambda text: text.replace("/", "")[:2000] or "x"))


def send(client: Client, asked: dict[str, Any]) -> Any:
    """Sends one. Returns the response."""
    encoded = encode(asked["form"])
    body, query = (asked["raw"] or encoded.encode("latin-1")), ""
    if asked["in_query"] or asked["method"] in ("GET", "HEAD"):
        body, query = asked["raw"] or b"", encoded[:60_000]
    headers = {
        "HTTP_" + name.upper().replace("-", "_"): value for name, value in asked["headers"].items()
    }
    return client.generic(
        asked["method"],
        asked["path"],
        body,
        asked["kind"],
        QUERY_STRING=query,
        **headers,
    )


def encode(form: dict[str, Any]) -> str:
    """The form, percent-encoded octet by octet. Lone surrogates become octets that are no UTF-8."""
    pairs = []
    for name, value in form.items():
        for one in value if isinstance(value, list) else [value]:
            pairs.append(f"{_quoted(name)}={_quoted(one)}")
    return "&".join(pairs)


def _quoted(text: str) -> str:
    octets = text.encode("utf-8", "surrogatepass")
    return "".join(chr(o) if 97 <= o <= 122 else f"%{o:02X}" for o in octets)


def problems(response: Any) -> list[str]:
    """What is wrong with an answer."""
    found = []
    # 503: too much at once. 501: only our own server, which is not in between here, streams events.
    if response.status_code >= 500 and response.status_code not in (501, 503):
        found.append(f"status {response.status_code}")
    for name in ("X-Content-Type-Options", "Referrer-Policy"):
        if name not in response.headers:
            found.append(f"no {name}")
    if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
        if "Content-Security-Policy" not in response.headers:
            found.append("no Content-Security-Policy")
        if re.search(rb"Traceback \(most recent|<script>alert\(1\)", response.content):
            found.append("a traceback, or a script of the request")
    if any("\n" in value or "\r" in value for value in response.headers.values()):
        found.append("a header of two lines")
    return found

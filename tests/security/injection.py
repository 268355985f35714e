"""sqlmap at every form and every query of the product, as it runs.

The forms are those of the pages themselves: all pages without a token are opened, as a stranger and
signed in, and what links and routes lead to. Names that a view reads and no form has are added from
its source. The API's requests come from its OpenAPI document.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from django.urls import Resolver404, resolve

from morefollows.helpers import token_routes
from tests.security.test_permissions import documented
from tests.support import web
from tests.support.routes import Route, routes

Run = Callable[[list[str], float, dict[str, str]], "subprocess.CompletedProcess[str]"]

_MOST_PAGES = 250
_SECONDS_OF_LEVEL_2 = 40  # for one request
_MOST_OF_A_ROUTE = 2  # pages of one route: a second story has the same forms
_TOKEN = "csrfmiddlewaretoken"
#: They end the session, or change who we are: what follows would be tested as a stranger.
_LEFT_OUT = ("sign-out", "account-password", "account-sessions", "single-sign-on")
_READ = re.compile(r"\.(GET|POST)(?:\.get\(|\.getlist\(|\[)\"(\w+)\"")
#: sqlmap thinks so, and then checks it; and it is sure.
_PERHAPS = re.compile(r"appears to be .*injectable")
_CHECKED = re.compile(r"false positive|not seem to be injectable|is not injectable")
_FOUND = re.compile(r"is vulnerable|identified the following injection point")
_SECONDS_TO_CHECK = 120


@dataclass(frozen=True)
class Target:
    """One request whose values are tried."""

    method: str
    path: str
    values: dict[str, str] = field(hash=False)
    route: str
    key: str = ""  #: of the API

    @property
    def names(self) -> list[str]:
        return [name for name in self.values if name != _TOKEN]

    @property
    def same(self) -> tuple[str, str, frozenset[str]]:
        return self.method, self.route, frozenset(self.values)


class _Forms(HTMLParser):
    """The forms and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, dict[str, str]]] = []
        self.links: list[str] = []
        self._open: dict[str, dict[str, str]] = {}  # by id, for fields outside of their form
        self._now: dict[str, str] | None = None
        self._list = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "form":
            self._now = {}
            self._open[given.get("id", "")] = self._now
            self.forms.append(
                (given.get("method", "get").upper(), given.get("action", ""), self._now)
            )
        name, fields = given.get("name", ""), self._open.get(given.get("form", "-"), self._now)
        if fields is None or (not name and tag != "option"):
            return
        if tag in ("input", "button") and given.get("type") != "file":
            chosen = given.get("type") not in ("radio", "checkbox", "submit") or "checked" in given
            if chosen or name not in fields:
                fields[name] = given.get("value", "on")
        elif tag in ("select", "textarea"):
            fields.setdefault(name, "")
            self._list, self._area = (name, "") if tag == "select" else ("", name)
        elif tag == "option" and self._list and (not fields[self._list] or "selected" in given):
            fields[self._list] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._now = None
        elif tag in ("select", "textarea"):
            self._list = self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._now is not None:
            self._now[self._area] = self._now.get(self._area, "") + data


def targets(address: str, cookie: str) -> list[Target]:
    """What can be filled in or asked for, by whoever has this cookie ("": a stranger)."""
    known = {route.name: route for route in routes() if route.path not in token_routes.ALL}
    ahead = ["/", "/desk/", *(one.address() for one in known.values() if not one.parts)]
    seen, parts, opened = set(ahead), dict[str, str](), Counter[str]()
    found: dict[tuple[str, str, frozenset[str]], Target] = {}
    token: dict[str, str] = {}
    while ahead and opened.total() < _MOST_PAGES:
        path = ahead.pop(0)
        name, more = _route_of(path)
        if name not in known or opened[name] >= _MOST_OF_A_ROUTE:
            continue
        opened[name] += 1
        answer, page = web.request("GET", address + path, Cookie=cookie), _Forms()
        if answer.status != 200:
            continue
        parts |= more
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            page.feed(answer.body.decode(errors="replace"))
        for method, action, values in page.forms:
            at = urlsplit(urljoin(path, action or path)).path
            target = Target(method, at, values, _route_of(at)[0])
            token |= {key: value for key, value in values.items() if key == _TOKEN}
            if target.names and target.route in known and target.route not in _LEFT_OUT:
                found.setdefault(target.same, target)
        links = [urlsplit(urljoin(address + path, link)) for link in page.links]
        for at in dict.fromkeys(link.path for link in links if address.endswith(link.netloc)):
            if at not in seen:
                seen.add(at)
                ahead.append(at)
        if beside := _read(known[name], "GET") - _names(found.values(), name, "GET"):
            target = Target("GET", path, dict.fromkeys(sorted(beside), "1"), name)
            found.setdefault(target.same, target)
    if "desk=" in cookie:  # to strangers the desk says the same for each form
        for one in _without_a_form(known, list(found.values()), parts, token):
            found.setdefault(one.same, one)
    return list(found.values())


def _without_a_form(
    known: dict[str, Route], found: list[Target], parts: dict[str, str], token: dict[str, str]
) -> Iterator[Target]:
    """Posts that no page which is there has a form for, with the names that their module reads."""
    posts = {name for name, method, _object in documented() if method == "POST"}
    for name in sorted(posts & known.keys() - {one.route for one in found} - {*_LEFT_OUT}):
        if names := _read(known[name], "POST"):
            values = token | dict.fromkeys(sorted(names), "1")
            yield Target("POST", known[name].address(parts), values, name)


def _read(route: Route, method: str) -> set[str]:
    """The names that the module of a route's view reads."""
    module = inspect.getmodule(inspect.unwrap(route.view)) or route.view
    return {name for one, name in _READ.findall(inspect.getsource(module)) if one == method}


def _names(found: Iterable[Target], route: str, method: str) -> set[str]:
    here = [one for one in found if (one.route, one.method) == (route, method)]
    return {name for one in here for name in one.names}


def _route_of(path: str) -> tuple[str, dict[str, str]]:
    """The name of a path's route, and its variable parts."""
    try:
        found = resolve(path)
    except Resolver404:
        return "", {}
    return str(found.url_name), {name: str(value) for name, value in found.kwargs.items()}


def requests_of_the_api(address: str, key: str) -> list[Target]:
    """Every request of the API that has a query."""
    document = json.loads(web.request("GET", f"{address}/api/v1/openapi.json").body)
    found = []
    for path, methods in document["paths"].items():
        asked = methods.get("get", {}).get("parameters", [])
        values = {one["name"]: "1" for one in asked if one["in"] == "query"}
        at = re.sub(r"\{[^}]+\}", "1", path)
        at = at if at.startswith("/api/") else f"/api/v1{at}"
        if values:
            found.append(Target("GET", at, values, path, key=key))
    return found


def attack(
    address: str, everything: list[tuple[str, Target]], seconds: float, sqlmap: Path, run: Run
) -> Iterator[str]:
    """Finds of sqlmap. `everything`: cookie and target."""
    print(
        f"sqlmap, {len(everything)} forms and queries, for {seconds:.0f} s at the most", flush=True
    )
    until, tested, left = time.monotonic() + seconds, 0, len(everything)
    with tempfile.TemporaryDirectory() as folder:
        # Unbuffered, or what it has said is lost when its time is over.
        environment = {"HOME": folder, "PYTHONUNBUFFERED": "1"}
        for cookie, target in everything:
            each = (until - time.monotonic()) / left
            if each < 1:
                break
            left -= 1
            # What others leave of their time is there for those that follow.
            level = 2 if each > _SECONDS_OF_LEVEL_2 else 1
            words = _words(address, cookie, target, level, sqlmap, folder)
            done = run(words, 4 * each + 10, environment)
            if _PERHAPS.search(done.stdout) and not _CHECKED.search(done.stdout):
                done = run(words, _SECONDS_TO_CHECK, environment)  # its time was over
                if _PERHAPS.search(done.stdout) and not _CHECKED.search(done.stdout):
                    yield f"sqlmap: {target.method} {target.path}: perhaps, and no time to check it"
            count = done.stdout.count("testing for SQL injection on ")
            tested += count
            for line in done.stdout.splitlines():
                if _FOUND.search(line):
                    yield f"sqlmap: {target.method} {target.path}: {line}"
            if not count:
                yield (
                    f"sqlmap tested nothing of {target.method} {target.path} {target.names}:"
                    f" {done.stdout[-700:]} {done.stderr[-300:]}"
                )
    print(f"  {tested} parameters of {len(everything) - left} requests", flush=True)
    if left:
        print(f"  no time was left for the last {left}: give more minutes, or --first", flush=True)


def _words(
    address: str, cookie: str, target: Target, level: int, sqlmap: Path, folder: str
) -> list[str]:
    sent = urlencode(target.values)
    url = address + target.path
    words = [str(sqlmap), "-u", f"{url}?{sent}" if target.method == "GET" else url]
    if target.method != "GET":
        words += [f"--data={sent}"]
    if cookie:
        words += [f"--cookie={cookie}", "--drop-set-cookie"]
    if target.key:
        words += [f"--header=Authorization: Bearer {target.key}"]
    return [
        *words,
        *("-p", ",".join(target.names), "--dbms=sqlite", "--technique=BET", "--time-sec=3"),
        *("--batch", f"--level={level}", "--risk=2", "--flush-session", "--output-dir", folder),
        *("--disable-coloring", "--timeout=10", "--retries=1", "--ignore-code=*"),
        *("--ignore-redirects", "--skip-waf"),
    ]


def with_tokens(address: str, cookie: str) -> str:
    """The cookie, and that of the forms' token: with both the tokens of all pages go together."""
    page = web.request(
        "GET", f"{address}/desk/{'account' if cookie else 'sign-in'}/", Cookie=cookie
    )
    names = [line.partition(";")[0] for line in page.headers.get_all("Set-Cookie", [])]
    token = [name for name in names if "csrf" in name]
    return "; ".join([*filter(None, [cookie]), *token])


def is_in(address: str, cookie: str) -> bool:
    """Whether the session still is one, with a recent sign-in."""
    return web.request("GET", f"{address}/desk/account/app/", Cookie=cookie).status == 200

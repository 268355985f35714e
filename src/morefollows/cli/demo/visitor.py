"""A minimal HTTP client for our own pages: opens pages, fills forms in, keeps cookies."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from typing import NamedTuple

_PATIENCE = 30.0  # seconds


class HtmlForm(NamedTuple):
    action: str  #: absolute
    fields: dict[str, str]  #: as filled in by the page, without unticked boxes


class NoForm(Exception):
    """The page has no such form."""


class Page:
    """A page as received."""

    def __init__(self, url: str, html: str) -> None:
        self.url = url
        self.html = html
        self._parser = _Forms(url)
        self._parser.feed(html)

    def form(self, field: str = "") -> HtmlForm:
        """Returns the first POST form, or the first with this field. Raises `NoForm`."""
        for form, fields in self._parser.posted:
            if not field or field in fields:
                return form
        raise NoForm(f"{urllib.parse.urlsplit(self.url).path} has no form {field}")


class Visitor:
    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def open(self, url: str) -> Page:
        """Opens a page. Raises `OSError`; `urllib.error.HTTPError` for an error status."""
        return self._get(urllib.request.Request(url))  # noqa: S310 - only ever our own http address

    def submit(self, form: HtmlForm, **filled: str) -> Page:
        """Submits the form."""
        body = urllib.parse.urlencode({**form.fields, **filled}).encode()
        return self._get(urllib.request.Request(form.action, data=body))  # noqa: S310

    def _get(self, request: urllib.request.Request) -> Page:
        with self._opener.open(request, timeout=_PATIENCE) as answer:
            return Page(answer.url, answer.read().decode("utf-8"))


class _Forms(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._form: HtmlForm | None = None
        self.posted: list[tuple[HtmlForm, set[str]]] = []  #: each with the names of all its fields

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and (given.get("method") or "").lower() == "post":
            self._form = HtmlForm(urllib.parse.urljoin(self._url, given.get("action") or ""), {})
            self.posted.append((self._form, set()))
        elif tag in ("input", "button", "select", "textarea") and self._form is not None:
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def _field(self, tag: str, given: dict[str, str | None]) -> None:
        name = given.get("name")
        if not name or self._form is None:
            return
        self.posted[-1][1].add(name)
        kind = given.get("type") or ""
        if kind not in ("checkbox", "radio") or "checked" in given:
            self._form.fields[name] = given.get("value") or ("on" if kind == "checkbox" else "")

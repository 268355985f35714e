"""The sign-up box on another site, from a mistyped address to unsubscribing."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.support import mail_parsing, validators, web
from tests.support.installation import Installation

EXAMPLE = Path(__file__).parents[2] / "docs/examples/static.html"
ANN = "ann@gmail.com"


class Site:
    """A newsroom's own web server, which knows nothing of ours but the address."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.pages.get(self.path.partition("?")[0], "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site()
    yield opened
    opened.close()


def publish(
    site: Site,
    installation: Installation,
    path: str = "/2026/harbour-bridge/",
    language: str = "en",
) -> str:
    """The example of the documentation, as somebody adapts it to the own address."""
    text = EXAMPLE.read_text().replace("https://alerts.example.org", installation.url)
    site.pages[path] = text.replace('<html lang="en">', f'<html lang="{language}">')
    return site.url + path


def test_from_a_page_of_another_site(
    installation: Installation, site: Site, page: Page, tmp_path: Path
) -> None:
    installation.command("sites", "add", site.url)
    asked: set[str] = set()
    page.on("request", lambda request: asked.add("/".join(request.url.split("/")[:3])))
    page.goto(publish(site, installation) + "?utm_source=spy")
    box = page.locator("more-follows-box")
    email, button = box.get_by_label("Email address"), box.get_by_role("button", name="SIGN UP")
    expect(box.get_by_role("heading", name="Breaking news")).to_be_visible()
    assert (
        box.evaluate("box => getComputedStyle(box.shadowRoot.querySelector('input')).fontFamily")
        == "Georgia, serif"
    )

    # What is wrong is said beside the field, by a live region, and focus stays where it is.
    for typed, reason in (
        ("ann@", "the part after the @ is missing"),
        ("a@b..c", "no name of a mail domain"),
    ):
        email.fill(typed)
        email.press("Enter")
        expect(box.get_by_role("alert")).to_contain_text(reason)
        expect(email).to_have_attribute("aria-invalid", "true")
        expect(email).to_have_attribute("aria-describedby", "error")
        expect(email).to_be_focused()
    looks(page, "with an error")

    # What was probably meant is asked, not assumed.
    email.fill("ann@gmial.com")
    button.press("Enter")
    expect(box.get_by_role("status")).to_contain_text("Did you mean ann@gmail.com?")
    expect(email).to_have_value("ann@gmial.com")
    expect(button).to_be_focused()
    looks(page, "with a suggestion")
    box.get_by_role("button", name="Yes, use that").click()
    expect(box.get_by_role("status")).to_contain_text(
        "Thanks for signing up to the Breaking news emails."
    )
    expect(button).to_be_focused()
    looks(page, "with thanks")
    assert page.context.cookies() == []
    assert (
        page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    )
    assert asked == {site.url, installation.url}

    # The evidence has the page, without what its address was adorned with, and the words that stood
    # there.
    [line] = installation.rows("audience")["audience_consent"]
    assert f"{site.url}/2026/harbour-bridge/" in line
    assert (
        "For free real time alerts sent straight to your inbox sign up to our Breaking news emails."
        in line
    )
    assert "box 1" in line

    # Mail, button, alert, one click, and no mail any more.
    steps.confirm(page, installation, ANN)
    break_story(installation, tmp_path, "Harbour bridge closed")
    alert = mail_parsing.read(installation.wait_for_mails(ANN, 3)[-1])
    assert alert["Subject"] == "Harbour bridge closed"
    assert web.one_click(mail_parsing.unsubscribe_link(alert)).status == 200
    steps.import_readers(installation, tmp_path, "dee@reader.example")
    break_story(installation, tmp_path, "Harbour bridge open again")
    installation.wait_for_mails("dee@reader.example")
    assert len(installation.mails(ANN)) == 3


def test_a_site_that_is_not_allowed_a_language_and_a_rush(
    build: Callable[..., Installation], site: Site, browser: Browser
) -> None:
    installation = build(sign_ups_a_network="0", work="2000", sign_up_seconds="1").start("--sample")
    context = browser.new_context()
    page = context.new_page()
    page.goto(publish(site, installation, language="de-AT"))
    with page.expect_response(lambda response: "/box/" in response.url) as refused:
        page.reload()
    assert refused.value.status == 403
    expect(page.locator("more-follows-box")).to_have_count(1)
    expect(page.get_by_label("E-Mail-Adresse")).to_have_count(0)

    # Allowed now; it speaks the page's language, takes its time, and the browser does a proof of
    # work.
    installation.command("sites", "add", site.url)
    page.reload()
    box = page.locator("more-follows-box")
    box.get_by_label("E-Mail-Adresse").fill("cy@reader.example")
    box.get_by_label("Ich möchte per E-Mail").check()
    with page.expect_request(lambda request: "altcha=" in (request.post_data or "")):
        box.get_by_role("button", name="ANMELDEN").click()
    expect(box.get_by_role("status")).to_contain_text("Danke für Ihre Anmeldung")
    installation.wait_for_mails("cy@reader.example")

    # On the newsroom's own page the form is answered with the box, which does its work likewise.
    page.goto(f"{installation.url}/")
    page.get_by_label(re.compile("^email", re.I)).fill("eve@reader.example")
    page.wait_for_timeout(1000)  # quicker than people, and the form would be shown once more
    page.get_by_role("button", name=re.compile("sign up", re.I)).click()
    expect(box.get_by_label("Email address")).to_have_value("eve@reader.example")
    with page.expect_request(lambda request: "altcha=" in (request.post_data or "")):
        box.get_by_role("button", name="SIGN UP").click()
    expect(box.get_by_role("status")).to_contain_text("Thanks for signing up")
    installation.wait_for_mails("eve@reader.example")

    # In the right-to-left page it is mirrored.
    site.pages["/rtl/"] = site.pages["/2026/harbour-bridge/"].replace(
        'lang="de-AT"', 'lang="ar" dir="rtl"'
    )
    page.goto(f"{site.url}/rtl/")
    email = box.get_by_label("Email address").bounding_box()
    button = box.get_by_role("button", name="SIGN UP").bounding_box()
    assert email and button and button["x"] < email["x"]
    context.close()

    # Where scripts don't run, the plain form leads to our page, which shows the consent before it
    # counts.
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(publish(site, installation))
    page.get_by_label("Breaking news by email").fill("dee@reader.example")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_label("Email address")).to_have_value("dee@reader.example")
    expect(page.get_by_text("For free real time alerts")).to_be_visible()
    plain.close()


def looks(page: Page, when: str) -> None:
    """As axe-core sees it, at 320 pixels and at 200 %."""
    problems = validators.accessible(page) + validators.narrow(page)
    overflow = page.evaluate(
        "[...document.querySelector('more-follows-box').shadowRoot.querySelectorAll('form, .line, "
        "p')]"
        ".some(e => e.scrollWidth > e.clientWidth + 1)"
    )
    assert problems == [] and not overflow, when


def break_story(installation: Installation, folder: Path, headline: str) -> None:
    story = folder / "story.md"
    story.write_text(f"{headline}\n\nMore in a moment.\n")
    installation.command(
        "stories", "break", str(story), "--topic", "breaking", "--hold", "0", "--yes"
    )

"""The live page in two windows: updates appear at once, and after a kill each exactly once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.journeys.test_box_elsewhere import Site, site
from tests.support import validators
from tests.support.browser import PHONE, watch
from tests.support.installation import Installation
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
TELL = """
import json, sys
import django; django.setup()
from morefollows.processes import bootstrap; bootstrap.choose_notifier()
from django.conf import settings
from morefollows import notify
from morefollows.stories.models import Story
from tests.live.support import publish
kind, wording = sys.argv[1], json.loads(sys.argv[2])
update = publish(Story.objects.latest("pk"), kind, **wording)
notify.announce(settings.MOREFOLLOWS.data, "story")
print(update.published_at.timestamp())
"""
WATCH = """() => {
  window.shown = {};
  new MutationObserver(() => document.querySelectorAll('#log > section').forEach(
    one => { window.shown[one.id] ??= Date.now() / 1000 }
  )).observe(document.getElementById('log'), {childList: true});
}"""


def publish_update(installation: Installation, kind: str = "update", **wording: Any) -> float:
    """Publishes an update straight into the database. Returns the time."""
    done = subprocess.run(
        [sys.executable, "-c", TELL, kind, json.dumps(wording)],
        env={
            **installation.environment,
            "DJANGO_SETTINGS_MODULE": "morefollows.config.django",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return float(done.stdout)


__all__ = ["site"]  # the fixture


def numbers(page: Page) -> list[str]:
    """The updates on the page, the newest first."""
    return [str(one.get_attribute("id")) for one in page.locator("#log > section").all()]


def test_two_windows_follow_a_story(
    build: Callable[..., Installation], browser: Browser, tmp_path: Path
) -> None:
    installation = build(hold="0").start("--sample")
    text = tmp_path / "story.md"
    text.write_text(f"{steps.HEADLINE}\n\n{steps.TEXT}\n")
    installation.command(
        "stories", "break", str(text), "--topic", "breaking", "--hold", "0", "--yes"
    )
    complaints: list[str] = []
    windows = [
        browser.new_context().new_page(),
        browser.new_context(viewport=PHONE, locale="de-DE").new_page(),
    ]  # type: ignore[arg-type]
    for window in windows:
        watch(window, complaints)
        window.goto(f"{installation.url}/")
        window.get_by_role("link", name=steps.HEADLINE).click()
        expect(window.locator("#live")).to_be_visible()
        window.evaluate(WATCH)
    desk, phone = windows

    delays = []
    for number in (2, 3):
        published = publish_update(installation, text=f"Trains run again on track {number}.")
        for window in windows:
            expect(window.locator(f"#update-{number}")).to_be_visible()
            delays.append(window.evaluate(f"window.shown['update-{number}']") - published)
    print("seconds from publication to the page:", *(f"{delay:.3f}" for delay in delays))

    # Paused, and further down: it waits behind a button, and nothing moves.
    desk.get_by_role("button", name="Pause updates").click()
    phone.evaluate("scrollTo(0, 300)")
    publish_update(
        installation,
        "correction",
        text="Trains run on track 4.",
        note="It was track 4, not track 3.",
        answers=[3],
    )
    for window, words in ((desk, "1 new update"), (phone, "1 neue Meldung")):
        expect(window.get_by_role("button", name=words)).to_be_visible()
        assert numbers(window) == ["update-3", "update-2", "update-1"]
    assert phone.evaluate("scrollY") == 300
    phone.get_by_role("button", name="1 neue Meldung").click()
    expect(phone.locator("#update-4")).to_be_focused()
    expect(phone.locator("#update-4")).to_contain_text("Berichtigung")
    desk.get_by_role("button", name="Resume updates").click()
    expect(desk.locator("#update-4")).to_contain_text(
        "What was wrong: It was track 4, not track 3."
    )
    for window in windows:
        expect(window.locator("#update-3 .corrected a")).to_have_attribute("href", "#update-4")
    assert not validators.accessible(desk) + validators.narrow(phone)

    # The server is killed; meanwhile the story goes on; it comes back at the same address.
    installation.environment["MOREFOLLOWS_PORT"] = installation.url.rpartition(":")[2]
    complaints.clear()
    phone.evaluate("scrollTo(0, 0)")  # or what is new waits behind the button
    installation.kill()
    time.sleep(0.2)
    publish_update(installation, text="The bridge is open.")
    publish_update(installation, text="The last ferry has left.")
    installation.start()
    for window in windows:
        expect(window.locator("#update-6")).to_be_attached()
        assert numbers(window) == [f"update-{number}" for number in (6, 5, 4, 3, 2, 1)], (
            "none missing, none twice"
        )
    complaints.clear()  # browsers call a connection that was cut an error

    # It is final, and then it turns out to have been wrong: pages that are open are told all the
    # same.
    publish_update(installation, "final", text="The bridge is open for good.")
    for window, words in (
        (desk, "This story is complete."),
        (phone, "Diese Meldung ist abgeschlossen."),
    ):
        expect(window.locator("#live-said")).to_have_text(words)
        expect(window.locator("#more-follows")).to_have_count(0)
    desk.reload()
    expect(desk.locator("#update-7")).to_be_visible()
    expect(desk.locator("#live")).to_be_hidden()
    publish_update(
        installation,
        "withdrawal",
        headline="Withdrawn: lock bridge",
        text="We took a photograph of another bridge for this one.",
    )
    for window, words in (
        (desk, "We have withdrawn this story"),
        (phone, "Wir haben diese Meldung zurückgezogen"),
    ):
        expect(window.get_by_role("alert").filter(has_text=words)).to_be_visible()
        expect(window.get_by_text("photograph of another bridge")).to_be_visible()
        expect(window.get_by_text("Trains run again")).to_have_count(0)
        expect(window.get_by_role("heading", level=1)).to_contain_text(words)
        expect(window.locator("#live")).to_be_hidden()
        assert not validators.accessible(window)
        window.context.close()
    assert complaints == []


def test_the_element_on_another_site(
    build: Callable[..., Installation], site: Site, page: Page, tmp_path: Path
) -> None:
    installation = build(hold="0").start("--sample")
    text = tmp_path / "story.md"
    text.write_text(f"{steps.HEADLINE}\n\n{steps.TEXT}\n")
    installation.command(
        "stories", "break", str(text), "--topic", "breaking", "--hold", "0", "--yes"
    )
    page.goto(f"{installation.url}/")
    page.get_by_role("link", name=steps.HEADLINE).click()
    uuid = page.url.rstrip("/").rpartition("/")[2]
    # A site with a strict policy of its own, which knows nothing of ours but the address.
    policy = (
        f"default-src 'none'; script-src {installation.url}; connect-src {installation.url};"
        " require-trusted-types-for 'script'"
    )
    script = f'<script async src="{installation.url}/live.js" data-story="{uuid}"></script>'
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Another site</title>'
    )
    site.pages["/"] = (
        "<!doctype html><html "
        f'lang="en"><head>{head}</head><main><h1>Ours</h1>{script}</main></html>'
    )
    page.goto(f"{site.url}/")
    story = page.locator("more-follows-story")
    expect(story.get_by_role("heading", name=steps.HEADLINE)).to_be_visible()
    expect(story.get_by_text("Live: what is new appears by itself.")).to_be_visible()
    publish_update(installation, text="Trains run again.")
    expect(story.get_by_text("Trains run again.")).to_be_visible()
    story.get_by_role("button", name="Pause updates").click()
    publish_update(installation, text="Trams, too.")
    story.get_by_role("button", name="1 new update").click()
    expect(story.get_by_text("Trams, too.")).to_be_visible()
    assert not validators.accessible(page) + validators.narrow(page)
    publish_update(installation, "withdrawal", text="Another bridge was meant.")
    expect(story.get_by_role("alert")).to_contain_text("We have withdrawn this story")
    expect(story.get_by_text("Trains run again.")).to_have_count(0)
    assert page.context.cookies() == []

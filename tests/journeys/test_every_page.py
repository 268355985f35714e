"""Every page by axe-core, html-validate, a narrow window and the browser's console."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.support import mail_parsing, validators
from tests.support.installation import Installation
from tests.support.scripted_relay import Rule, Script, running
from tests.support.waiting import until

CY = "cy@reader.example"


class Walk:
    """Looks at page after page, and keeps what is wrong until the end: one run tells all."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.sources: dict[str, str] = {}

    def look(self, name: str, page: Page | None = None) -> None:
        page = page or self.page
        expect(page).to_have_title(re.compile(r"\S"))
        answer = page.request.get(page.url)
        # What a form was answered with is not there to be fetched again: the browser's own copy
        # serves.
        fetched = answer.headers["content-type"].startswith(
            "text/html"
        ) and page.title() in " ".join(answer.text().split())
        self.sources[name] = answer.text() if fetched else page.content()
        self.problems += [
            f"{name}: {problem}"
            for problem in validators.narrow(page) + validators.accessible(page)
        ]

    def end(self) -> None:
        problems = self.problems + validators.valid(self.sources)
        assert not problems, "\n".join(problems)


def test_readers_pages(installation: Installation, page: Page, browser: Browser) -> None:
    walk = Walk(page)
    page.goto(f"{installation.url}/")
    walk.look("front page")
    page.get_by_label(re.compile("^email", re.I)).fill("cy@")
    page.locator("form").first.evaluate("form => form.noValidate = true")
    page.get_by_role("button", name=re.compile("sign up", re.I)).click()
    expect(page.get_by_text("Please enter a valid email address")).to_be_visible()
    walk.look("sign-up with an error")
    steps.sign_up(page, installation, CY)
    walk.look("thanks")
    page.goto(f"{installation.url}/sign-up/breaking/")
    page.get_by_label(re.compile("^email", re.I)).fill("ann@gmial.com")
    page.get_by_role("button", name=re.compile("sign up", re.I)).click()
    expect(page.get_by_text("Did you mean ann@gmail.com?")).to_be_visible()
    walk.look("sign-up with a suggestion")
    page.goto(f"{installation.url}/privacy/")
    walk.look("privacy notice")

    confirmation = installation.wait_for_mails(CY)[0]
    page.goto(next(link for link in steps.links_of(confirmation) if "/confirm/" in link))
    walk.look("confirm")
    page.get_by_role("button", name=re.compile("confirm", re.I)).click()
    expect(page.get_by_role("button", name=re.compile("confirm", re.I))).to_have_count(0)
    walk.look("confirmed")
    page.goto(f"{installation.url}/confirm/{'A' * 36}/")
    walk.look("confirmation that is none of ours")

    thanks = installation.wait_for_mails(CY, 2)[1]
    page.goto(mail_parsing.unsubscribe_link(mail_parsing.read(thanks)))
    walk.look("leave")
    preferences = next(link for link in steps.links_of(thanks) if "/preferences/" in link)
    page.goto(preferences)
    walk.look("preferences")
    page.get_by_label("From").fill("22:00")
    page.get_by_role("button", name="Save").first.click()
    walk.look("preferences with an error")
    page.get_by_label("Until").fill("07:00")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    walk.look("preferences, saved")
    page.get_by_label("Move to another address").fill("cy@elsewhere.example")
    page.get_by_role("button", name="Send a link").click()
    asked = installation.wait_for_mails("cy@elsewhere.example")[0]
    page.goto(f"{preferences}erase/")
    walk.look("erase")
    page.goto(next(link for link in steps.links_of(asked) if "/new-address/" in link))
    walk.look("new address")
    page.goto(f"{installation.url}/preferences/{'A' * 36}/")
    walk.look("preferences with a link that is none of ours")
    page.goto(f"{installation.url}/leave/{'A' * 36}/")
    walk.look("leave with a link that is none of ours")
    page.goto(mail_parsing.unsubscribe_link(mail_parsing.read(thanks)))
    page.get_by_role("button").last.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    walk.look("left")
    page.goto(f"{installation.url}/no-such-page/")
    walk.look("page that is not there")

    german = browser.new_context(locale="de-DE").new_page()
    german.goto(f"{installation.url}/")
    assert german.evaluate("document.documentElement.lang") == "de"
    walk.look("front page in German", german)
    german.context.close()
    walk.end()


def test_the_inbox(installation: Installation, page: Page) -> None:
    walk = Walk(page)
    page.goto(f"{installation.url}/inbox/")
    walk.look("empty inbox")
    steps.sign_up(page, installation, CY)
    mail = installation.wait_for_mails(CY)[0]
    page.goto(f"{installation.url}/inbox/")
    walk.look("inbox")
    steps.open_mail(page, installation, mail)
    walk.look("mail")
    for part in ("Plain text", "Source"):
        page.get_by_role("link", name=part).click()
        expect(page.get_by_role("link", name=part)).to_have_attribute("aria-current", "page")
        walk.look(f"mail, {part}")
    walk.end()


def look_at_readers(walk: Walk, page: Page, installation: Installation) -> None:
    """The readers at the desk, one of them, what was agreed to, and the words that are shown."""
    page.goto(f"{installation.url}/desk/audience/")
    page.get_by_label("Email address").fill("nobody@reader.example")
    page.get_by_role("button", name="Find reader").click()
    expect(page.get_by_role("alert")).to_contain_text("No reader has this address")
    walk.look("readers, nobody found")
    page.get_by_label("Email address").fill(CY)
    page.get_by_role("button", name="Find reader").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CY)
    assert CY not in page.url
    page.get_by_text("Erase this reader …").click()
    walk.look("reader")
    page.get_by_role("link", name="The whole declaration, to print").click()
    walk.look("declaration")
    page.goto(f"{installation.url}/desk/words/")
    walk.look("words")
    page.get_by_role("link", name=re.compile("New version.*privacy notice, Deutsch")).click()
    page.get_by_role("button", name="Show it as readers will see it").click()
    walk.look("words, preview")


def test_the_desk(build: Callable[..., Installation], page: Page, tmp_path: Path) -> None:
    installation = build(hold="600").start("--sample")
    walk = Walk(page)
    page.goto(f"{installation.url}/desk/")
    walk.look("sign in")
    page.get_by_role("button", name="Sign in", exact=True).click()
    walk.look("sign in with errors")
    page.goto(installation.invitation)
    walk.look("first sign-in")
    steps.first_sign_in(page, installation.invitation)
    walk.look("desk")
    page.goto(f"{installation.url}/desk/box/")
    page.get_by_label("Address of a site").fill("www.herald.example")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("may show the box now")).to_be_visible()
    expect(page.frame_locator("iframe").first.get_by_role("button", name="SIGN UP")).to_be_visible()
    walk.look("sign-up box")
    page.goto(f"{installation.url}/desk/story/new/")
    walk.look("write")
    page.locator("#send").click()
    expect(page.locator(".err").first).to_be_visible()
    walk.look("write with errors")

    steps.import_readers(installation, tmp_path, CY)
    look_at_readers(walk, page, installation)
    steps.write_story(page, installation)
    walk.look("edit")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Read-only view").click()
    walk.look("check")
    page.get_by_role("link", name="Edit story").click()
    steps.send(page)
    walk.look("hold")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Nothing was mailed")).to_be_visible()
    walk.look("taken back")
    page.goto(f"{installation.url}/desk/")
    walk.look("desk with a story")
    places = (
        ("no offers yet", "offers/"),
        ("write an offer", "offers/new/"),
        ("image", "images/add/"),
        ("drills", "drills/"),
        ("drill", "drill/new/"),
        ("own account", "account/"),
        ("app for codes", "account/app/"),
        ("people", "people/"),
        ("person", "people/1/"),
        ("confirm that it is you", "confirm/"),
    )
    for name, path in places:
        page.goto(f"{installation.url}/desk/{path}")
        walk.look(name)

    steps.send_the_draft_without_hold(page, installation)
    walk.look("sent")
    sent = page.url
    alert = installation.wait_for_mails(CY)[0]
    page.goto(next(link for link in steps.links_of(alert) if "/story/" in link))
    walk.look("story")
    page.goto(f"{installation.url}/")
    walk.look("front page with a story")
    page.goto(sent)
    page.get_by_role("link", name="Write update").click()
    walk.look("next update")
    page.goto(sent)
    page.locator("#wrong > summary").click()
    walk.look("something is wrong")
    page.get_by_role("link", name="Retract …").click()
    walk.look("withdraw")
    page.get_by_role("button", name=re.compile("^Retract and tell")).first.click()
    expect(page.locator("#todo")).to_be_visible()
    walk.look("withdraw without a reason")
    page.get_by_label("Why").fill("It was another bridge.")
    page.get_by_role("button", name=re.compile("^Retract and tell")).first.click()
    steps.wait_for_state(page, "sent")
    walk.look("withdrawal sent")
    page.goto(sent)
    walk.look("alert of a withdrawn story")
    page.goto(next(link for link in steps.links_of(alert) if "/story/" in link))
    walk.look("withdrawn story")
    page.goto(f"{installation.url}/desk/log/")
    walk.look("log")
    walk.end()


def test_the_desk_in_trouble(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    walk = Walk(page)
    refusing = Script(rules=(Rule("mail", reply="550 5.7.1 you are not on our list"),))
    with running(tmp_path / "taken.jsonl", refusing) as relay:
        installation = build(relay=f"smtp://127.0.0.1:{relay.port}?tls=never", hold="0").start(
            "--sample"
        )
        steps.import_readers(installation, tmp_path, CY)
        steps.first_sign_in(page, installation.invitation)
        steps.write_story(page, installation)
        steps.send(page)
        expect(page.get_by_role("heading", name="is paused")).to_be_visible()
        walk.look("paused relay")
        page.get_by_role("button", name="Pause", exact=True).click()
        steps.wait_for_state(page, "paused")
        walk.look("paused")
        page.get_by_role("button", name=re.compile("^Resume sending")).click()
        steps.wait_for_state(page, "sending")
        page.locator("#stop > summary").click()
        walk.look("about to stop")
        page.get_by_role("button", name="Stop", exact=True).click()
        steps.wait_for_state(page, "stopped")
        walk.look("stopped")
        until("nothing more to say", lambda: not relay.taken())
    walk.end()


ITEM = """{"uri": "urn:wire:1", "version": "2", "pubstatus": "usable", "type": "text", "urgency": 2,
"language": "en", "headline": "Ship hits the harbour bridge", "ednote": "Call the desk at night.",
"byline": "Jane Doe", "body_text": "Six people are missing, police said.\\n\\nTrains wait."}"""


def test_what_comes_in_and_programs(installation: Installation, page: Page) -> None:
    walk = Walk(page)
    steps.first_sign_in(page, installation.invitation)
    folder = installation.data / "wire"
    folder.mkdir()
    installation.command("sources", "add", "Agency", str(folder), "--kind", "folder")
    (folder / "item.json").write_text(ITEM)
    until(
        "the item",
        lambda: installation.query("SELECT 1 FROM ingest_receiveditem WHERE decision <> ''"),
    )
    page.goto(f"{installation.url}/desk/wire/")
    expect(page.get_by_role("link", name="Ship hits the harbour bridge").first).to_be_visible()
    walk.look("wire")
    page.get_by_role("link", name="Ship hits the harbour bridge").first.click()
    expect(page.get_by_text("Call the desk at night.").first).to_be_visible()
    walk.look("item")
    page.goto(f"{installation.url}/desk/wire/rules/new/")
    page.get_by_label("Name").fill("Urgent news")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
    walk.look("simulated rule")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Urgent news").first).to_be_visible()
    walk.look("rules")
    for name, path in (
        ("sources", "desk/settings/sources/"),
        ("new source", "desk/settings/sources/new/"),
        ("keys", "desk/settings/api-keys/"),
        ("new key", "desk/settings/api-keys/new/"),
        ("webhooks", "desk/settings/webhooks/"),
        ("new webhook", "desk/settings/webhooks/new/"),
        ("machines", "desk/machines/"),
    ):
        page.goto(f"{installation.url}/{path}")
        walk.look(name)
    walk.end()

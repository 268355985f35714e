"""Two editors, two readers, one story: recipients, threading, and delay to two windows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from xml.etree import ElementTree

from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.support import mail_parsing, web
from tests.support.browser import PHONE, watch
from tests.support.installation import Installation

CY, DEE = "cy@reader.example", "dee@reader.example"
# When each update, and the withdrawal, was in the page, by the clock of the machine that we share
# with it.
WATCH = """() => {
  window.shown = {};
  new MutationObserver(() => {
    const now = Date.now() / 1000;
    for (const one of document.querySelectorAll('#log > section')) shown[one.id] ??= now;
    if (document.getElementById('withdrawal').textContent.trim()) shown.withdrawal ??= now;
  }).observe(document.getElementById('story'), {childList: true, subtree: true});
}"""


class Windows:
    """The live page in two windows, and how long each update took to appear there."""

    def __init__(
        self, browser: Browser, installation: Installation, headline: str, complaints: list[str]
    ) -> None:
        phone = browser.new_context(viewport=PHONE, locale="de-DE")  # type: ignore[arg-type]
        self.pages = [browser.new_context().new_page(), phone.new_page()]
        self.delays: dict[str, list[float]] = {}
        for page in self.pages:
            watch(page, complaints)
            page.goto(f"{installation.url}/")
            page.get_by_role("link", name=headline).click()
            expect(page.locator("#live")).to_be_visible()
            page.evaluate(WATCH)
        self.address = self.pages[0].url

    def wait(self, name: str) -> None:
        for page in self.pages:
            expect(page.locator(f"#{name} .text").last).to_be_attached()
        at = self._published()
        self.delays[name] = [page.evaluate(f"window.shown['{name}']") - at for page in self.pages]

    def _published(self) -> float:
        """The time of the newest update, as the story's feed has it."""
        feed = ElementTree.fromstring(web.request("GET", f"{self.address}feed.atom").body)
        told = feed.findtext("{http://www.w3.org/2005/Atom}updated")
        assert told
        return datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp()

    def updates(self) -> list[list[str | None]]:
        return [
            [one.get_attribute("id") for one in page.locator("#log > section").all()]
            for page in self.pages
        ]


def write(page: Page, kind: str, headline: str, text: str, *, wrong: str = "") -> None:
    """The next update, on its screen."""
    page.goto(re.sub(r"(/desk/story/[^/]+/).*", r"\1develop/", page.url))
    page.get_by_role("radio", name=kind.capitalize(), exact=True).check()
    if wrong:
        page.get_by_label("What was wrong").fill(wrong)
    page.get_by_label("Headline", exact=True).fill(headline)
    steps.write_text(page, text)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def send(page: Page, screen: str, button: str) -> None:
    """By who did not write it: that is the second pair of eyes."""
    page.goto(re.sub(r"develop/.*", "check/", screen))
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("#alert")).to_be_visible()


def references(mail: EmailMessage) -> list[str]:
    return str(mail["References"] or "").split()


def test_a_story_develops(
    build: Callable[..., Installation], browser: Browser, tmp_path: Path
) -> None:
    installation = build(hold="1").start("--sample")
    complaints: list[str] = []
    ada, ben = browser.new_context().new_page(), browser.new_context().new_page()
    for page, name in ((ada, "Ada"), (ben, "Ben")):
        watch(page, complaints)
        steps.first_sign_in(
            page, steps.add_editor(installation, f"{name.lower()}@herald.example", name, "editor")
        )
    steps.import_readers(installation, tmp_path, CY)

    # Ben writes; without a second pair of eyes it does not leave. Ada approves it, and Ben sends
    # it.
    steps.write_story(ben, installation)
    ben.get_by_role("button", name="Send to 1").click()
    expect(ben.locator("#todo")).to_contain_text("approval")
    expect(ben.locator("#todo")).to_be_visible()
    ada.goto(ben.url.rstrip("/") + "/check/")
    ada.get_by_role("button", name="Approve only").click()
    expect(ada.get_by_text("Approved by Ada")).to_be_visible()
    ben.goto(ben.url)
    steps.send(ben)
    steps.wait_for_state(ben, "sent")
    first = mail_parsing.read(installation.wait_for_mails(CY)[0])
    windows = Windows(browser, installation, steps.HEADLINE, complaints)
    story = windows.address.rstrip("/").rpartition("/")[2]
    ben.goto(f"{installation.url}/desk/story/{story}/develop/")

    # Cy follows, by the link in the mail. Dee comes late.
    reader = browser.new_context().new_page()
    watch(reader, complaints)
    reader.goto(next(link for link in mail_parsing.links(first) if "/follow/" in link))
    reader.get_by_role("button", name="Follow this story").click()
    expect(reader.get_by_role("heading", name="You follow this story")).to_be_visible()
    steps.import_readers(installation, tmp_path, DEE)

    write(ben, "update", "Trains wait", "Three trains wait, 400 people in them.")
    send(ada, ben.url, "Approve and send to 1")
    windows.wait("update-2")
    write(ben, "correction", "Trains wait", "It is two trains.", wrong="We said three trains.")
    send(ada, ben.url, "Send correction to 1")
    windows.wait("update-3")
    steps.wait_for_state(ada, "sent")

    # Every process is killed while an update is in its hold. What comes back sends it, once, and
    # tells the windows.
    write(ben, "update", "Bridge is closed again", "Trains run.")
    ada.goto(re.sub(r"develop/.*", "check/", ben.url) + "?audience=topic")
    ada.get_by_role("button", name="Approve and send to 2").click()
    expect(ada.locator("#alert")).to_be_visible()
    installation.environment["MOREFOLLOWS_PORT"] = installation.url.rpartition(":")[2]
    installation.kill()
    installation.start()
    for page in windows.pages:
        expect(page.locator("#update-4")).to_be_attached()
    assert windows.updates() == [["update-4", "update-3", "update-2", "update-1"]] * 2, (
        "none missing, none twice"
    )
    complaints.clear()  # browsers call a connection that was cut an error
    installation.wait_for_mails(DEE)

    # A page that was open over the restart loads itself anew, at a time of its own.
    address, ada = ada.url, ada.context.new_page()
    watch(ada, complaints)
    ada.goto(address)
    steps.wait_for_state(ada, "sent")
    ada.locator("#wrong > summary").click()
    ada.get_by_role("link", name="Retract …").click()
    ada.get_by_label("Why").fill("The photograph showed another bridge.")
    ada.get_by_role("button", name="Retract and tell 2").click()
    windows.wait("withdrawal")
    for page in windows.pages:
        expect(page.get_by_role("alert").filter(has_text="another bridge")).to_be_visible()
        expect(page.locator("#log")).to_have_count(0)

    cys = [mail_parsing.read(mail) for mail in installation.wait_for_mails(CY, 5)]
    dees = [mail_parsing.read(mail) for mail in installation.wait_for_mails(DEE, 2)]
    assert [len(cys), len(dees)] == [5, 2], "the error, and its correction, went to Cy alone"
    told = [steps.HEADLINE, "Trains wait", "Correction: Trains wait", "Bridge is closed again"]
    assert [mail["Subject"] for mail in cys[:4]] == told
    assert dees[0]["Subject"] == "Bridge is closed again"
    root = f"<{story}@herald.example>"
    ids = [mail["Message-ID"] for mail in cys]
    assert [references(mail) for mail in cys[:4]] == [[root, *ids[:number]] for number in range(4)]
    assert [mail["In-Reply-To"] for mail in cys[:4]] == [None, *ids[:3]]
    assert references(dees[0]) == [root], "Dee was sent none of the others"
    indices = [str(mail["Thread-Index"]) for mail in (*cys[:4], dees[0])]
    assert {index[:28] for index in indices} == {indices[0][:28]} and len(indices[0]) < len(
        indices[1]
    )
    for mail in (cys[4], dees[1]):
        assert str(mail["Subject"]).startswith("Withdrawn: our alert of ")
        assert steps.HEADLINE not in mail.as_string() and references(mail)[0] == root

    for name, delays in windows.delays.items():
        print(f"{name}: in two windows after", *(f"{delay:.3f} s" for delay in delays))
    # How quick it is says `make bench WHAT=stream`; a busy machine may take longer than that.
    assert max(delay for delays in windows.delays.values() for delay in delays) <= 30
    assert complaints == []

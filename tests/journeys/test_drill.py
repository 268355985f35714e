"""A drill in the browser and by real SMTP: marked as one, and only to its own readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.journeys.test_every_page import Walk
from tests.support import mail_parsing
from tests.support.browser import PHONE, watch
from tests.support.installation import Installation

CY, GUS = "cy@reader.example", "gus@herald.example"
BANNER = "DRILL – not real news"


def link_of(installation: Installation, number: int, part: str) -> str:
    """In the mail that came to Gus as that one."""
    mail = installation.wait_for_mails(GUS, number)[-1]
    return next(link for link in steps.links_of(mail) if part in link)


def test_a_drill(
    build: Callable[..., Installation], browser: Browser, page: Page, tmp_path: Path
) -> None:
    installation = build(hold="1").start("--sample")
    walk = Walk(page)
    steps.import_readers(installation, tmp_path, CY)
    steps.first_sign_in(page, installation.invitation)

    # Gus is invited, and says yes.
    page.get_by_role("link", name="Drills").click()
    page.get_by_label("Email address").fill(GUS)
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("invited, no answer yet")).to_be_visible()
    walk.look("who takes part")
    page.goto(link_of(installation, 1, "/drills/"))
    walk.look("invitation")
    page.get_by_role("button", name="Yes, I take part").click()
    expect(page.get_by_role("heading", name="You take part")).to_be_visible()
    walk.look("accepted")

    page.goto(f"{installation.url}/desk/")
    page.get_by_role("link", name="Drills").click()
    page.get_by_role("link", name="Start a drill").click()
    expect(page.get_by_role("complementary", name="Drill")).to_contain_text(BANNER)
    walk.look("write a drill")
    page.get_by_label("Headline", exact=True).fill("Dam above the town breaks")
    steps.write_text(page, "The dam broke at 14:05.")
    walk.look("check a drill")
    page.get_by_role("button", name="Send drill to 1").click()
    steps.wait_for_state(page, "sent")
    walk.look("a drill, sent")

    # Its live page goes on by itself, as a real one does.
    complaints: list[str] = []
    phone = browser.new_context(viewport=PHONE, locale="de-DE", color_scheme="dark").new_page()  # type: ignore[arg-type]
    watch(phone, complaints)
    phone.goto(link_of(installation, 2, "/story/"))
    expect(phone.get_by_role("complementary", name="Übung")).to_contain_text(
        "ÜBUNG – keine echte Nachricht"
    )
    walk.look("a drill's live page", phone)
    page.get_by_role("link", name="Write update").click()
    walk.look("a drill's next update")
    page.get_by_role("radio", name="Update", exact=True).check()
    page.get_by_label("Headline", exact=True).fill("The town is evacuated")
    steps.write_text(page, "Everybody is safe.")
    page.get_by_role("button", name="Send drill to 1").click()
    expect(phone.locator("#update-2 .kind-drill")).to_have_text("ÜBUNG")
    steps.wait_for_state(page, "sent")
    page.locator("#wrong > summary").click()
    page.get_by_role("link", name="Retract …").click()
    page.get_by_label("Why").fill("It was a drill.")
    page.get_by_role("button", name="Retract and tell 1").click()
    expect(phone.get_by_role("alert").filter(has_text="It was a drill.")).to_be_visible()
    expect(phone.get_by_text("ÜBUNG – keine echte Nachricht").first).to_be_visible()

    subjects = [
        mail_parsing.read(mail)["Subject"] for mail in installation.wait_for_mails(GUS, 4)[1:]
    ]
    dam = "DRILL: Dam above the town breaks"
    assert subjects[:2] == [dam, "DRILL: The town is evacuated"]
    assert str(subjects[2]).startswith("DRILL: Withdrawn: our alert of ")
    assert installation.mails(CY) == [] and complaints == []
    steps.wait_for_state(page, "sent")  # until then the page goes on by itself
    page.goto(f"{installation.url}/desk/")
    walk.look("desk with a drill")
    walk.end()

"""A virus scanner opens every link of every mail before the reader does. Nothing may come of it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from morefollows.inbox.store import Kept
from tests.journeys import steps
from tests.support import letterbox, web
from tests.support.house import House

CY = "cy@reader.example"


def scan(house: House, mail: Kept) -> int:
    """Opens all that the mail links to on our site, as scanners do. Returns how many links that were."""
    ours = [link for link in steps.links_of(mail) if link.startswith(house.url)]
    for link in ours:
        for method in ("HEAD", "GET", "GET"):
            answer = web.ask(method, link)
            assert answer.status == 200, (method, link.replace(house.url, ""), answer.status)
    return len(ours)


def test_opening_every_link_of_every_mail_changes_nothing(house: House, page: Page, tmp_path: Path) -> None:
    steps.sign_up(page, house, CY)
    confirmation = house.wait_for_mails(CY)[0]
    before = house.kept()
    assert scan(house, confirmation) >= 1
    assert house.kept() == before
    assert house.readers() == 0

    steps.confirm(page, house, CY)
    thanks = house.wait_for_mails(CY, 2)[1]
    steps.first_sign_in(page, house.invitation)
    steps.write_story(page, house)
    steps.send(page)
    steps.wait_for_state(page, "sent")
    alert = house.wait_for_mails(CY, 3)[2]
    before = house.kept()
    assert scan(house, thanks) >= 1
    assert scan(house, alert) >= 3  # leave, story, privacy
    assert house.kept() == before
    assert house.readers() == 1

    # And the links still work for Cy.
    assert web.one_click(letterbox.unsubscribe_link(letterbox.read(alert))).status == 200
    assert house.readers() == 0

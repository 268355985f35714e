"""A virus scanner opens every link of every mail before the reader does. Nothing may come of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from morefollows.inbox.store import Kept
from tests.journeys import steps
from tests.support import letterbox, web
from tests.support.house import House
from tests.support.waiting import until

CY = "cy@reader.example"
SCANNERS = 10
SENDERS_OWN = ("courier_pulse", "courier_relay")


def scan(house: House, mail: Kept) -> int:
    """Opens all that the mail links to on our site, as ten scanners do at once. Returns how many links that were."""
    ours = [link for link in steps.links_of(mail) if link.startswith(house.url)]

    def look(_scanner: int) -> None:
        for link in ours:
            for method in ("HEAD", "GET", "HEAD", "GET"):
                answer = web.ask(method, link)
                assert answer.status == 200, (method, link.replace(house.url, ""), answer.status)

    with ThreadPoolExecutor(SCANNERS) as scanners:
        list(scanners.map(look, range(SCANNERS)))
    return len(ours)


def kept(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """All that is kept of people and news. What senders note of themselves goes on without anybody's doing."""
    return {table: rows for table, rows in house.kept().items() if not table.startswith(SENDERS_OWN)}


def at_rest(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """The same, once what was mailed is in the books."""
    until("the books", lambda: all("waiting" not in letter for letter in house.kept("audience")["audience_letter"]))
    return kept(house)


def test_opening_every_link_of_every_mail_changes_nothing(house: House, page: Page, tmp_path: Path) -> None:
    steps.sign_up(page, house, CY)
    confirmation = house.wait_for_mails(CY)[0]
    before = at_rest(house)
    assert scan(house, confirmation) >= 1
    assert kept(house) == before
    assert house.readers() == 0

    steps.confirm(page, house, CY)
    thanks = house.wait_for_mails(CY, 2)[1]
    steps.first_sign_in(page, house.invitation)
    steps.write_story(page, house)
    steps.send(page)
    steps.wait_for_state(page, "sent")
    alert = house.wait_for_mails(CY, 3)[2]
    before = at_rest(house)
    assert scan(house, thanks) >= 1
    assert scan(house, alert) >= 3  # leave, story, privacy
    assert kept(house) == before
    assert house.readers() == 1

    # And the links still work for Cy.
    assert web.one_click(letterbox.unsubscribe_link(letterbox.read(alert))).status == 200
    assert house.readers() == 0

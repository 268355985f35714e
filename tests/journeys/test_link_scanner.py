"""A virus scanner opens every link of every mail before the reader does. Nothing may come of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page

from morefollows.local_inbox.store import StoredMail
from tests.journeys import steps
from tests.support import mail_parsing, web
from tests.support.installation import Installation
from tests.support.waiting import until

CY, DEE, NEW = "cy@reader.example", "dee@reader.example", "cy@new.example"
TERMS = dict.fromkeys(("most_a_day", "quiet_from", "quiet_to", "time_zone"), "")
SCANNERS = 10
SENDERS_OWN = (
    "courier_lastheartbeat",
    "courier_providertime",
    "courier_relay",
    "courier_senderprocess",
    "courier_statenumber",
)


def scan(installation: Installation, mail: StoredMail) -> int:
    """Opens all links of the mail to our site, ten at once. Returns their number."""
    ours = [link for link in steps.links_of(mail) if link.startswith(installation.url)]

    def look(_scanner: int) -> None:
        for link in ours:
            for method in ("HEAD", "GET", "HEAD", "GET"):
                answer = web.request_patiently(method, link)
                assert answer.status == 200, (
                    method,
                    link.replace(installation.url, ""),
                    answer.status,
                )

    with ThreadPoolExecutor(SCANNERS) as scanners:
        list(scanners.map(look, range(SCANNERS)))
    return len(ours)


def kept(installation: Installation) -> dict[str, list[tuple[Any, ...]]]:
    """All rows about people and news. What senders record of themselves is left out."""
    return {
        table: rows
        for table, rows in installation.rows().items()
        if not table.startswith(SENDERS_OWN)
    }


def at_rest(installation: Installation) -> dict[str, list[tuple[Any, ...]]]:
    """The same, once what was mailed is in the books."""
    until(
        "the books",
        lambda: all(
            "waiting" not in letter for letter in installation.rows("audience")["audience_letter"]
        ),
    )
    return kept(installation)


def test_opening_every_link_of_every_mail_changes_nothing(
    installation: Installation, page: Page, tmp_path: Path
) -> None:
    steps.sign_up(page, installation, CY)
    confirmation = installation.wait_for_mails(CY)[0]
    before = at_rest(installation)
    assert scan(installation, confirmation) >= 1
    assert kept(installation) == before
    assert installation.readers() == 0

    steps.confirm(page, installation, CY)
    thanks = installation.wait_for_mails(CY, 2)[1]
    steps.first_sign_in(page, installation.invitation)
    steps.write_story(page, installation)
    steps.send(page)
    steps.wait_for_state(page, "sent")
    alert = installation.wait_for_mails(CY, 3)[2]
    before = at_rest(installation)
    assert scan(installation, thanks) >= 1
    assert scan(installation, alert) >= 3  # leave, story, privacy
    assert kept(installation) == before
    assert installation.readers() == 1

    # And the links still work for Cy.
    assert web.one_click(mail_parsing.unsubscribe_link(mail_parsing.read(alert))).status == 200
    assert installation.readers() == 0


def test_nor_does_it_with_the_mails_that_come_in_their_time(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    """An offer, a digest, what came in quiet hours, and the two mails of a change of address."""
    installation = build(hold="0").start("--sample")
    steps.import_readers(installation, tmp_path, CY, DEE)
    steps.agree_to_offers(installation)
    steps.first_sign_in(page, installation.invitation)
    steps.write_offer(page, installation)
    steps.send(page)
    steps.wait_for_state(page, "sent")
    offers = [installation.wait_for_mails(reader)[0] for reader in (CY, DEE)]
    scan_in_vain(installation, offers[0])

    prefer(offers[0], **TERMS, section="terms", frequency="digest")
    prefer(
        offers[1],
        **{**TERMS, "quiet_from": "00:00", "quiet_to": "23:59"},
        section="terms",
        frequency="every",
    )
    story = tmp_path / "story.md"
    story.write_text(f"{steps.HEADLINE}\n\n{steps.TEXT}\n")
    installation.command("stories", "break", str(story), "--yes", "--hold", "0")
    until(
        "the alert's end", lambda: "sent" in str(installation.rows("stories")["stories_alert"][-1])
    )
    installation.execute(
        f"UPDATE audience_reader SET summary_at_ms = {int(time.time() * 1000)} WHERE "
        "summary_at_ms IS NOT NULL"
    )
    until("the summaries", lambda: len(installation.rows("audience")["audience_letter"]) == 2)
    installation.execute("UPDATE audience_letter SET due_at_ms = 1")
    summaries = [installation.wait_for_mails(reader, 2)[1] for reader in (CY, DEE)]
    for mail in summaries:
        assert steps.HEADLINE in mail_parsing.body(mail_parsing.read(mail), "plain")
        scan_in_vain(installation, mail)

    prefer(summaries[0], section="address", email=NEW)
    asked = installation.wait_for_mails(NEW)[0]
    scan_in_vain(installation, asked)
    [button] = [link for link in steps.links_of(asked) if "/new-address/" in link]
    assert web.request("POST", button, b"", Content_Type=web.FORM).status == 200
    scan_in_vain(
        installation, installation.wait_for_mails(CY, 3)[2], least=1
    )  # the privacy notice: there is nothing left to change


def scan_in_vain(installation: Installation, mail: StoredMail, least: int = 2) -> None:
    before = at_rest(installation)
    assert scan(installation, mail) >= least
    assert kept(installation) == before


def prefer(mail: StoredMail, **form: str) -> None:
    """On the preference page that the mail links to."""
    [link] = [link for link in steps.links_of(mail) if "/preferences/" in link]
    assert web.request("POST", link, urlencode(form).encode(), Content_Type=web.FORM).status == 303

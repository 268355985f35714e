"""A reader's mailbox goes, comes back, and complains: through a real Postfix and Dovecot."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.feedback.intake.support import DOMAIN, complaint
from tests.journeys import steps
from tests.support.dovecot import Dovecot
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.provider_postfix import ProviderPostfix
from tests.support.waiting import PATIENCE, until

_CONFIRM = re.compile(rb"/confirm/(?:[\w-]|=\r?\n)+")
_TOKEN = re.compile(rb"Message-ID: <([0-9a-f]{46})@")


def test_a_mailbox_that_goes_and_comes_back_and_a_complaint(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    port = free_port()
    dovecot = Dovecot()
    postfix = ProviderPostfix(dovecot.lmtp, port, DOMAIN)
    try:
        dovecot.start()
        postfix.start()
        dovecot.add("cy")
        dovecot.add("seed")
        dovecot.settle("seed")
        installation = build(
            relay=f"smtp://127.0.0.1:{postfix.port}?tls=never",
            hold="0",
            bounce_domain=DOMAIN,
            intake=f"lmtp://127.0.0.1:{port}",
            intake_settle="0",
            bounce_days="0",
        ).start("--sample")

        def state() -> object:
            rows = installation.query("SELECT state FROM audience_reader ORDER BY id")
            return rows[0][0] if rows else ""

        def alert(number: int) -> None:
            story = tmp_path / f"{number}.md"
            story.write_text(f"Lock bridge stuck, part {number}\n\nIt is.\n")
            installation.command("stories", "break", str(story), "--yes", "--hold", "0")

        def mails(subject: str) -> list[bytes]:
            return [one for one in dovecot.mails("cy") if f"Subject: {subject}".encode() in one]

        steps.sign_up(page, installation, "cy@reader.example")
        asked = until("the confirmation", lambda: mails("Please confirm"))[0]
        link = _CONFIRM.search(asked)
        assert link is not None
        path = re.sub(rb"=\r?\n", b"", link[0]).decode()
        page.goto(f"{installation.url}{path}/")
        page.get_by_role("button", name=re.compile("confirm", re.I)).click()
        until("the confirmation", lambda: state() == "confirmed")
        mailbox = f"imap://seed:x@127.0.0.1:{dovecot.imap}/INBOX"
        installation.command("seeds", "add", "seed@reader.example", mailbox, "--name", "Seed")
        alert(1)
        first = until("the first alert", lambda: mails("Lock bridge stuck, part 1"))[0]
        arrived = "SELECT seconds FROM feedback_seedarrival WHERE state = 'inbox'"
        [[seconds]] = until("the seed inbox", lambda: installation.query(arrived))
        assert 0 <= seconds < PATIENCE
        assert b"<mailto:leave+" in first.replace(b"\n ", b" ")

        dovecot.remove("cy")
        until("Dovecot to forget Cy", lambda: not _takes(dovecot, "cy"))
        for number in (2, 3):
            alert(number)
            bounced = "SELECT count(*) FROM feedback_incomingmail WHERE kind = 'bounce'"
            until(
                "the bounce",
                lambda number=number, bounced=bounced: (  # type: ignore[misc]
                    installation.query(bounced)[0][0] >= number - 1
                ),
            )
        until("the suppression", lambda: state() == "hard bounced")
        assert installation.readers() == 0

        dovecot.add("cy")
        dovecot.settle("cy")
        installation.command("suppressions", "lift", "--reason", "bounced", "--yes")
        assert installation.readers() == 1
        alert(4)
        token = _TOKEN.search(
            until("the last alert", lambda: mails("Lock bridge stuck, part 4"))[0]
        )
        assert token is not None
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.sendmail("", [f"fbl@{DOMAIN}"], complaint(token[1].decode()))
        until("the complaint to count", lambda: state() == "complained")
        assert installation.readers() == 0
        page.goto(f"{installation.url}/desk/")
    finally:
        postfix.stop()
        dovecot.stop()


def _takes(dovecot: Dovecot, name: str) -> bool:
    with smtplib.LMTP("127.0.0.1", dovecot.lmtp) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        return client.rcpt(f"{name}@dove.example")[0] == 250

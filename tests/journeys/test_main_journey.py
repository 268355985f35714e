"""The whole way, once, by people: from the first start to the mail that does not come any more."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.support import mail_parsing, web
from tests.support.installation import Installation
from tests.support.scripted_relay import Rule, Script, running
from tests.support.waiting import until

CY = "cy@reader.example"
DEE = "dee@reader.example"


def test_from_the_first_start_to_the_last_mail(
    build: Callable[..., Installation], page: Page, browser: Browser, tmp_path: Path
) -> None:
    installation = build(bare=True, hold="8").start(
        "--sample"
    )  # time enough to take it back, on any machine
    # Ada comes to the desk for the first time, by the link that the start printed.
    invitation = installation.invitation
    steps.first_sign_in(page, invitation)
    assert web.request("GET", invitation).status == 410

    # Cy mistypes, is told so beside the field, and signs up.
    cys = browser.new_page()
    cys.goto(f"{installation.url}/")
    cys.get_by_label(re.compile("^email", re.I)).fill("cy@")
    cys.locator("form").first.evaluate("form => form.noValidate = true")
    cys.get_by_role("button", name=re.compile("sign up", re.I)).click()
    expect(cys.get_by_text("Please enter a valid email address")).to_be_visible()
    steps.sign_up(cys, installation, CY)
    assert installation.readers() == 0

    # The confirmation is in the inbox; opening its link changes nothing, the button does.
    steps.confirm(cys, installation, CY)
    assert installation.readers() == 1
    thanks = mail_parsing.read(installation.wait_for_mails(CY, 2)[-1])
    assert "thank" in mail_parsing.body(thanks, "plain").lower()
    steps.import_readers(installation, tmp_path, DEE)

    # Ada writes, and sees the mail as Cy will.
    steps.write_story(page, installation)
    expect(page.get_by_role("button", name="Send to 2")).to_be_visible()
    shown = page.frame_locator("iframe").first
    expect(shown.get_by_text(steps.HEADLINE).first).to_be_visible()
    page.locator("label[for=v-text], label:has(#v-text)").click()
    expect(page.get_by_label("The mail as plain text")).to_contain_text("lock bridge")
    expect(page.locator(".mail-frame:not(.spare)")).to_be_hidden()

    # She sends, thinks again within the hold, and takes it back: no mail leaves.
    steps.send(page)
    expect(page.locator("#sec")).to_be_visible()
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Taken back. Nothing was mailed")).to_be_visible()
    assert len(installation.mails(CY)) == 2

    # She sends it after all, and watches it to the end without touching the page.
    steps.send(page)
    steps.wait_for_state(page, "sent")
    expect(page.locator("#n-accepted")).to_have_text("2")
    assert page.locator("#s-last").inner_text() != "–"

    # Cy's mail is as the rules want it.
    mail = installation.wait_for_mails(CY, 3)[-1]
    message = mail_parsing.read(mail)
    assert message["Subject"] == steps.HEADLINE
    assert str(message["To"]) == CY
    assert mail.sender.startswith("b+") and mail.recipient == CY
    for name in ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version"):
        assert len(message.get_all(name, [])) == 1, name
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(parsedate_to_datetime(message["Date"]).timestamp() - time.time()) < 60
    head = mail.content.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ")
    assert not re.search(rb"^(List-[\w-]+|References|In-Reply-To):.*=\?", head, re.MULTILINE)
    assert "lock bridge" in mail_parsing.body(message, "plain")
    assert "lock bridge" in mail_parsing.body(message, "html")
    assert "https://port.example/notice" in mail_parsing.body(message, "plain")

    # The story is public, and Cy leaves with one click of the mail program.
    cys.goto(next(link for link in mail_parsing.links(message) if "/story/" in link))
    expect(cys.get_by_role("heading", name=steps.HEADLINE)).to_be_visible()
    answer = web.one_click(mail_parsing.unsubscribe_link(message))
    assert (answer.status, answer.headers["Set-Cookie"], answer.headers["Location"]) == (
        200,
        None,
        None,
    )
    assert web.one_click(mail_parsing.unsubscribe_link(message), form_data=True).status == 200
    assert installation.readers() == 1

    # The next alert goes to Dee alone.
    steps.write_story(page, installation, "Lock bridge closed again")
    steps.send(page)
    steps.wait_for_state(page, "sent")
    assert len(installation.wait_for_mails(DEE, 2)) == 2
    assert len(installation.mails(CY)) == 3
    cys.close()
    installation.stop()


def test_ben_drafts_and_ada_sends(
    installation: Installation, page: Page, browser: Browser, tmp_path: Path
) -> None:
    steps.import_readers(installation, tmp_path, CY)
    steps.first_sign_in(
        page, steps.add_editor(installation, "ben@herald.example", "Ben Okoro", "reporter")
    )
    steps.write_story(page, installation)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert page.get_by_role("button", name=re.compile("^Send")).count() == 0

    adas = browser.new_page()
    steps.first_sign_in(
        adas, steps.add_editor(installation, "ada@herald.example", "Ada Marsh", "editor")
    )
    adas.get_by_role("link", name=steps.HEADLINE).click()
    steps.send(adas)
    steps.wait_for_state(adas, "sent")
    page.goto(f"{installation.url}/desk/")
    page.get_by_role("link", name=steps.HEADLINE, exact=True).click()
    page.get_by_role("link", name="the topic’s readers").click()
    expect(page.locator("#n-accepted")).to_have_text("1")
    installation.wait_for_mails(CY)
    adas.close()


def test_stop_in_the_middle_of_an_alert(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    slow = Script(rules=(Rule("content", delay=0.4),))
    with running(tmp_path / "taken.jsonl", slow) as relay:
        address = f"smtp://127.0.0.1:{relay.port}?tls=never"
        installation = build(relay=address, relay_connections="2", hold="0").start("--sample")
        steps.import_readers(
            installation, tmp_path, *(f"cy{number}@reader.example" for number in range(2000))
        )  # it takes minutes
        steps.first_sign_in(page, installation.invitation)
        steps.write_story(page, installation)
        steps.send(page)
        steps.wait_for_state(page, "sending")
        until("the first mails", lambda: len(relay.taken()) > 5)
        page.locator("#stop > summary").click()
        page.get_by_role("button", name="Stop", exact=True).click()
        steps.wait_for_state(page, "stopped")
        # What was in flight has its outcome when no sender holds a batch.
        until(
            "the end of the last batch",
            lambda: not installation.query("SELECT 1 FROM courier_batch WHERE worker <> ''"),
        )
        stopped_at = len(relay.taken())
        time.sleep(2)
        assert stopped_at == len(relay.taken()) < 2000
        page.reload()
        expect(page.locator("#n-accepted")).to_have_text(str(stopped_at))

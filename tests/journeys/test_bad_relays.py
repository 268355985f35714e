"""Relays that are down, refuse us, drop connections or stall: the desk stays usable, and once the
relay is well every reader has the mail."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.support import web
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.scripted_relay import Rule, Script, running
from tests.support.waiting import until

READERS = [f"cy{number}@reader.example" for number in range(40)]
WELL = Script()

SICK = {
    "drops the line at once": Script(rules=(Rule("connect", do="drop"),)),
    "greets with garbage": Script(greeting="!!! \x01 not SMTP"),
    "is too busy to talk": Script(greeting="421 4.3.2 come back later"),
    "answers garbage": Script(rules=(Rule("mail", do="garbage"),)),
    "falls silent after the greeting": Script(rules=(Rule("ehlo", do="hang"),)),
}


def at_hand(installation: Installation) -> None:
    """The desk's door opens, though the relay does not answer."""
    assert web.request("GET", f"{installation.url}/desk/sign-in/").status == 200


def break_story(installation: Installation, page: Page, folder: Path) -> None:
    steps.import_readers(installation, folder, *READERS)
    steps.first_sign_in(page, installation.invitation)
    steps.write_story(page, installation)
    steps.send(page)


def everybody(taken: list[dict[str, object]]) -> Counter[str]:
    """How often each reader's mail was taken."""
    return Counter(recipient for mail in taken for recipient in mail["recipients"])  # type: ignore[attr-defined]


def test_nothing_is_lost_once_the_relay_is_well(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    """One sickness after the other, with a story for each."""
    port = free_port()
    installation = build(
        relay=f"smtp://127.0.0.1:{port}?tls=never", relay_connections="4", hold="0.5"
    ).start("--sample")
    steps.import_readers(installation, tmp_path, *READERS)
    steps.first_sign_in(page, installation.invitation)
    for number, (sickness, script) in enumerate(SICK.items()):
        record = tmp_path / f"taken{number}.jsonl"
        with running(record, script, port):
            steps.write_story(page, installation, headline=f"The relay {sickness}")
            steps.send(page)
            steps.wait_for_state(page, "sending")
            time.sleep(2)
            at_hand(installation)
        with running(record, WELL, port) as relay:
            until("every reader's mail", lambda: set(everybody(relay.taken())) == set(READERS))
            at_hand(installation)
            steps.wait_for_state(page, "sent")
        assert set(everybody(relay.taken()).values()) == {1}, sickness


def test_what_broke_in_the_middle_of_a_mail_is_sent_again_under_the_same_message_id(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    """Connections drop within mails, some mails get no reply, and some are never answered."""
    port, record = free_port(), tmp_path / "taken.jsonl"
    sick = Script(
        rules=(
            Rule("mid-data", do="drop", after=2, times=2),
            Rule("content", do="take-and-drop", after=4, times=2),
            Rule("content", do="hang", after=12),
        )
    )
    installation = build(
        relay=f"smtp://127.0.0.1:{port}?tls=never", relay_connections="2", hold="0.5"
    )
    with running(record, sick, port) as relay:
        installation.start("--sample")
        break_story(installation, page, tmp_path)
        until("the mails before the silence", lambda: len(relay.taken()) >= 12)
        at_hand(installation)
        expect(page.locator("#n-uncertain")).not_to_have_text("0")
    with running(record, WELL, port) as relay:
        # What is uncertain is tried again after a minute.
        until("every reader's mail", lambda: set(everybody(relay.taken())) == set(READERS))
        at_hand(installation)
        steps.wait_for_state(page, "sent")
    times = everybody(relay.taken())
    ids = {mail["message_id"] for mail in relay.taken()}
    assert len(ids) == len(READERS)
    assert 0 < sum(times.values()) - len(READERS) <= 2


def test_a_relay_that_is_down_and_comes_up(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    port, record = free_port(), tmp_path / "taken.jsonl"
    installation = build(relay=f"smtp://127.0.0.1:{port}?tls=never", hold="0.5").start("--sample")
    break_story(installation, page, tmp_path)
    steps.wait_for_state(page, "sending")
    page.reload()
    expect(page.get_by_text("can’t be reached")).to_be_visible()
    at_hand(installation)
    with running(record, WELL, port) as relay:
        until("every reader's mail", lambda: set(everybody(relay.taken())) == set(READERS))
        steps.wait_for_state(page, "sent")
    assert set(everybody(relay.taken()).values()) == {1}


def test_a_relay_that_refuses_our_password(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    port, record = free_port(), tmp_path / "taken.jsonl"
    address = f"smtp://herald:new-secret@127.0.0.1:{port}?tls=never"
    installation = build(relay=address, hold="0.5")
    with running(record, Script(users={"herald": "old-secret"}), port) as relay:
        installation.start("--sample")
        break_story(installation, page, tmp_path)
        alert = urlsplit(page.url).path
        expect(page.get_by_text("refused the user name or password")).to_be_visible()
        at_hand(installation)
        assert relay.taken() == []
        assert installation.readers() == len(READERS)  # nobody is gone for it
    page.goto("about:blank")
    installation.stop()  # somebody mends it, and starts again
    with running(record, Script(users={"herald": "new-secret"}), port) as relay:
        installation.start()
        until("every reader's mail", lambda: set(everybody(relay.taken())) == set(READERS))
        page.goto(installation.url + alert)
        steps.wait_for_state(page, "sent")
    assert set(everybody(relay.taken()).values()) == {1}


def test_a_relay_that_refuses_us_is_paused_until_ada_resumes_it(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    port, record = free_port(), tmp_path / "taken.jsonl"
    installation = build(
        relay=f"smtp://127.0.0.1:{port}?tls=never", relay_connections="1", hold="0.5"
    )
    refusing = Script(rules=(Rule("mail", reply="550 5.7.1 you are not on our list"),))
    with running(record, refusing, port) as relay:
        installation.start("--sample")
        break_story(installation, page, tmp_path)
        expect(page.get_by_role("heading", name="is paused")).to_be_visible()
        expect(page.get_by_text("you are not on our list").first).to_be_visible()
        at_hand(installation)
        assert installation.readers() == len(READERS)  # nobody is gone for it
    with running(record, WELL, port) as relay:
        time.sleep(2)
        assert relay.taken() == []  # paused means paused
        page.get_by_role("button", name="Resume the relay").click()
        until("every reader's mail", lambda: set(everybody(relay.taken())) == set(READERS))
        steps.wait_for_state(page, "sent")
        expect(page.locator("#n-refused")).to_have_text("0")
    assert set(everybody(relay.taken()).values()) == {1}

"""Refusals of one reader and of one provider, as Ada sees them, through real processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.journeys.test_bad_relays import everybody
from tests.support.installation import Installation
from tests.support.scripted_relay import Rule, Script, running
from tests.support.waiting import until

DENIED = Rule(
    "rcpt",
    match="@blocked",
    reply="554 5.7.1 <x@blocked.example>: Recipient address rejected: Access denied",
)
READERS = [f"cy{number}@d{number % 30}.example" for number in range(2999)]


def test_a_strangers_refused_sign_up_stops_no_alert(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    with running(tmp_path / "taken.jsonl", Script(rules=(DENIED,))) as relay:
        installation = build(relay=f"smtp://127.0.0.1:{relay.port}?tls=never", hold="0.5").start(
            "--sample"
        )
        steps.import_readers(installation, tmp_path, *READERS, "cy@blocked.example")
        steps.sign_up(page, installation, "stranger@blocked.example")
        until(
            "the stranger's letter",
            lambda: installation.query("SELECT attempts FROM audience_letter") != [(0,)],
        )
        steps.first_sign_in(page, installation.invitation)
        steps.write_story(page, installation)
        steps.send(page)
        steps.wait_for_state(page, "sent")
        expect(page.locator("#n-accepted")).to_have_text("2,999")
        expect(page.locator("#n-refused")).to_have_text("1")
        assert installation.readers() == 3000, "nobody is suppressed"
        page.goto(f"{installation.url}/desk/relays/")
        expect(page.get_by_text("paused", exact=True)).to_have_count(0)
    assert set(everybody(relay.taken()).values()) == {1}


def test_a_provider_that_knows_nobody_and_what_was_suppressed_is_lifted(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    many, few = (
        [f"cy{number}@big.example" for number in range(60)],
        ["cy@one.example", "cy@two.example"],
    )
    gone = Rule("rcpt", match="@big|@one", reply="550 5.1.1 no such user")
    with running(tmp_path / "taken.jsonl", Script(rules=(gone,))) as relay:
        installation = build(
            relay=f"smtp://127.0.0.1:{relay.port}?tls=never",
            hold="0.5",
            bounces_before_suppression="1",
        ).start("--sample")
        steps.import_readers(installation, tmp_path, *many, *few)
        steps.first_sign_in(page, installation.invitation)
        steps.write_story(page, installation)
        steps.send(page)
        expect(
            page.get_by_role("heading", name="big.example refuses unusually many readers")
        ).to_be_visible()
        expect(page.locator("#n-accepted")).to_have_text("1")
        expect(page.locator("#n-deferred")).to_have_text("60")
        page.goto(f"{installation.url}/desk/relays/")
        expect(page.get_by_text("Unusually many refusals:")).to_be_visible()
        page.go_back()
        page.locator("#stop > summary").click()
        page.get_by_role("button", name="Stop", exact=True).click()
        steps.wait_for_state(page, "stopped")
        until("the one bounce that counts", lambda: installation.readers() == 61)

        page.goto(f"{installation.url}/desk/audience/")
        page.get_by_role("link", name="Suppressed addresses").click()
        expect(page.get_by_role("heading", name="1 suppressed address")).to_be_visible()
        said = installation.command("suppressions", "lift", "--since", "1h", "--yes").stdout
        assert "one.example" in said and "1 readers get mail again" in said
        assert installation.readers() == 62

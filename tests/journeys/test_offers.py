"""An offer to thousands is being sent when news breaks: the alert overtakes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.journeys import steps
from tests.support.installation import Installation
from tests.support.scripted_relay import Rule, Script, running
from tests.support.waiting import until

OF_OFFERS, OF_POLITICS = 2400, 300


def test_an_alert_overtakes_an_offer(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    # The relay is slow until the story is broken, however long that takes on a busy machine.
    broken = tmp_path / "broken"
    slow = Script(rules=(Rule("content", match="@breaking", delay=0.2, until=str(broken)),))
    with running(tmp_path / "taken.jsonl", slow) as relay:
        address = f"smtp://127.0.0.1:{relay.port}?tls=never&rate=300&connections=2"
        installation = build(hold="0", senders="2", relay=address).start("--sample")
        for topic, number in (("breaking", OF_OFFERS), ("politics", OF_POLITICS)):
            path = tmp_path / f"{topic}.csv"
            path.write_text("email\n" + "".join(f"cy{n}@{topic}.example\n" for n in range(number)))
            installation.command(
                "readers",
                "import",
                str(path),
                "--topic",
                topic,
                "--provenance",
                "the old newsletter",
                "--consented-at",
                "2024-05-04",
            )
        steps.agree_to_offers(installation)
        story = tmp_path / "story.md"
        story.write_text(f"{steps.HEADLINE}\n\n{steps.TEXT}\n")
        steps.first_sign_in(page, installation.invitation)
        steps.write_offer(page, installation)
        steps.send(page)
        until("the offer's first mails", lambda: len(relay.taken()) > 50)
        installation.command(
            "stories", "break", str(story), "--topic", "politics", "--yes", "--hold", "0"
        )
        broken.touch()
        until("all mails", lambda: len(relay.taken()) >= OF_OFFERS + 2 * OF_POLITICS)

        alerts = [re.match(r"<0300000002", one["message_id"]) is not None for one in relay.taken()]
        assert alerts.count(True) == OF_POLITICS
        first, last = alerts.index(True), len(alerts) - 1 - alerts[::-1].index(True)
        between = alerts[first:last].count(False)
        assert between <= 50, f"{between} mails of the offer came between those of the alert"
        assert len(alerts) - last > 500, "the offer was through before the alert"
    steps.wait_for_state(page, "sent")

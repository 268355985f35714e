"""A real Ghost publishes, edits and unpublishes a post. `make ghost` runs this."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.integrations.ghost_site import GhostSite
from tests.journeys import steps
from tests.support import mail_parsing
from tests.support.installation import Installation
from tests.support.waiting import until

CY = "cy@reader.example"


def test_what_ghost_publishes_reaches_readers_once(
    build: Callable[..., Installation], tmp_path: Path
) -> None:
    newsroom = build(hold="0").start("--sample")
    steps.import_readers(newsroom, tmp_path, CY)
    words = ["--send-alone", "--edits", "update", "--unpublished", "retract"]
    added = newsroom.command("ghost", "add", "Our Ghost", *words, "--json").stdout
    made = json.loads(added)

    def done(result: str) -> None:
        def told() -> bool:
            found = json.loads(newsroom.command("ghost", "--json").stdout)[0]
            return bool(found["last_result"] == result)

        until(f"Ghost’s post: {result}", told)

    site = GhostSite()
    try:
        site.start().add_webhooks(made["url"], made["secret"])
        post = site.save({"title": "Ferry aground", "html": "<p>All are <b>safe</b>.</p>"})
        post = site.save(post, status="published")
        done("sent")
        mail = mail_parsing.read(newsroom.wait_for_mails(CY)[0])
        assert "Ferry aground" in str(mail["Subject"])
        assert "All are safe." in mail_parsing.body(mail, "plain")

        post = site.save(post, html="<p>All are safe. It floats again.</p>")
        # Only followers get an update, and nobody follows yet: it is on the story's page.
        until(
            "the update",
            lambda: len(newsroom.query("SELECT 1 FROM stories_update WHERE kind = 'update'")) == 1,
        )
        site.save(post, status="draft")
        done("retracted")
        newsroom.wait_for_mails(CY, 2)
        kinds = newsroom.query("SELECT kind FROM stories_update ORDER BY id")
        assert [row[0] for row in kinds] == ["first", "update", "withdrawal"]
    finally:
        site.stop()

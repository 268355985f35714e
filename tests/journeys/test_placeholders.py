"""With placeholders left, nothing is sent by a new relay; once filled in, everything is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from morefollows.cli.demo.visitor import Visitor
from tests.journeys import steps
from tests.support.installation import Installation
from tests.support.scripted_relay import Script, running
from tests.support.waiting import until


def test_nothing_leaves_until_all_is_filled_in(
    build: Callable[..., Installation], tmp_path: Path
) -> None:
    story = tmp_path / "story.md"
    story.write_text("Harbour bridge closed\n\nNobody is hurt.\n")
    with running(tmp_path / "taken.jsonl", Script()) as relay:
        installation = build(
            relay=f"smtp://127.0.0.1:{relay.port}?tls=never",
            test_relay=None,
            url="http://alerts.ellery-post.org",
            hold="0",
            four_eyes="never",
        ).start("--sample")
        assert (
            "No mail is handed to the relay yet. The postal address is still a placeholder"
            in installation.output
        )
        reader = Visitor()
        reader.submit(
            reader.open(f"{installation.address}/").form("email"),
            email="cy@reader.example",
            agreed="on",
        )
        until(
            "the letter",
            lambda: installation.query("SELECT 1 FROM audience_letter WHERE state = 'waiting'"),
        )
        steps.import_readers(installation, tmp_path, "ben@reader.example")
        until(
            "the sender's word",
            lambda: "no mail is handed to a relay: The sender’s address" in installation.output,
        )

        refused = installation.command("stories", "break", str(story), "--yes", check=False)
        assert refused.returncode == 1
        for field in ("--name", "--sender-address", "--postal-address"):
            assert f"morefollows newsroom {field}" in refused.stderr
        doctor = installation.command("doctor", check=False)
        assert doctor.returncode == 1 and "no mail is handed to a relay" in doctor.stdout
        page = desk_page(installation)
        assert "Nothing is mailed until these are filled in" in page and "--postal-address" in page
        assert (
            installation.query("SELECT attempts FROM audience_letter") == [(0,)]
            and not relay.taken()
        )

        installation.command(
            "newsroom", "--name", "The Ellery Post", "--sender-address", "alerts@ellery-post.org",
            "--postal-address", "3 Quay Street, Port Ellery",
        )  # fmt: skip
        until(
            "the confirmation",
            lambda: any("cy@reader.example" in str(mail) for mail in relay.taken()),
        )
        installation.command("stories", "break", str(story), "--yes")
        until("the alert", lambda: any("ben@reader.example" in str(mail) for mail in relay.taken()))


def desk_page(installation: Installation) -> str:
    """The check page of the sample's draft, for somebody who has just signed in."""
    desk = Visitor()
    address = installation.invitation.replace("http://alerts.ellery-post.org", installation.address)
    desk.submit(desk.open(address).form("password"), password="a long walk along the harbour")
    uuid = UUID(str(installation.query("SELECT uuid FROM stories_story ORDER BY id")[0][0]))
    return desk.open(f"{installation.address}/desk/story/{uuid}/check/").html

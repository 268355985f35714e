"""A story's mails to readers who got different ones: threads hold and name no other reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from morefollows.accounts.models import Editor
from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import TokenRow
from morefollows.audience.models import Reader, Topic
from morefollows.courier.batch.prepared_alert import prepare_alert
from morefollows.courier.ledger import claims
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.nodes.identity import this_process
from morefollows.notify import Listener
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.drafts.actions import save_update
from morefollows.stories.models import Alert, Story
from tests.courier.message.support import read
from tests.courier.message.test_dkim import ED25519, RSA, dkimpy_says, pem
from tests.courier.support import A_RELAY, write
from tests.support import sandbox
from tests.support.people import reader

OK = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
LATER = Reply(451, "4.3.0", "not now", Reached.ENVELOPE)


@pytest.fixture
def mailed(
    newsroom: object, tmp_path: Path, settings: Any, ada: Editor
) -> Callable[..., dict[str, bytes]]:
    """Sends the story's draft as a sender does, all but the relay. Address → the mail on the wire.

    `not_now`: those to whom the relay says so.
    """
    keys = {"dkim_key": pem(RSA), "dkim_selector": "mf1", "dkim_ed25519_key": pem(ED25519)}
    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS, dkim_ed25519_selector="mf2", **keys
    )
    worker = Scheduler(
        this_process(sandbox.folder(), 1),
        Listener(tmp_path),
        RelayPool(),
        on_complete=lambda alert: None,
    )

    def send(alert: Alert, *not_now: Reader) -> dict[str, bytes]:
        assert publication.release(alert.pk)
        while not cut_batches(alert.pk, 5):
            pass
        running = next(one for one in claims.active_alerts() if one.id == alert.pk)
        release = prepare_alert(running, links.link_tokens(), worker.relays.wake_soon)
        release.sending = True
        batch_runs = worker._loader.load(release)
        write(worker.name, batch_runs, ahead=100)
        found = {}
        for batch_run in batch_runs:
            while (mail := batch_run.take(A_RELAY)) is not None:
                address = mail.recipient.decode()
                deferred = address in {one.address for one in not_now}
                found[address] = b"".join(mail.content)
                mail.settle(mail, LATER if deferred else OK)
        write(worker.name, batch_runs)
        return {
            address: mail
            for address, mail in found.items()
            if address not in {one.address for one in not_now}
        }

    return send


def update(story: Story, ada: Editor, headline: str) -> Alert:
    draft = save_update(
        Story.objects.get(pk=story.pk),
        ada,
        revision=Story.objects.get(pk=story.pk).revision,
        kind="update",
        headline=headline,
        standfirst="",
        text=headline,
    )
    return actions.send(draft, ada, hold=0, audience="topic")


def references(mail: EmailMessage) -> list[str]:
    return str(mail["References"]).split()


def test_each_reader_has_a_thread_of_what_they_were_sent(
    mailed: Callable[..., dict[str, bytes]], story: Story, ada: Editor, breaking: Topic
) -> None:
    start, missed = (reader(f"{name}@reader.example", breaking) for name in ("start", "missed"))
    first = mailed(actions.send(story, ada, hold=0))
    late = reader("late@reader.example", breaking)
    second = mailed(update(story, ada, "Divers at work"), missed)
    third = mailed(update(story, ada, "Bridge open again"))
    assert set(third) == {start.address, missed.address, late.address}
    mails = [
        {address: read(raw) for address, raw in sent.items()} for sent in (first, second, third)
    ]
    root = references(mails[0][start.address])
    assert root == [f"<{story.uuid}@{domain_of(mails[0][start.address])}>"]
    had = {start: (0, 1), missed: (0,), late: (1,)}
    for one, numbers in had.items():
        mail = mails[2][one.address]
        sent_before = [mails[number][one.address]["Message-ID"] for number in numbers]
        assert references(mail) == [*root, *sent_before]
        assert mail["In-Reply-To"] == sent_before[-1]
    assert references(mails[1][late.address]) == root
    assert mails[1][late.address]["In-Reply-To"] == root[0]
    for sent in mails:
        assert {mail["Subject"] for mail in sent.values()} == {
            "Harbour bridge closed after ferry collision"
        }
    for raw in (raw for sent in (first, second, third) for raw in sent.values()):
        assert dkimpy_says(raw) == [True, True]
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert b"\r\nReferences: <" in raw
    changed = third[start.address].replace(b"\r\n <", b"\r\n <x", 1)
    assert dkimpy_says(changed) == [False, False], "what is in the hole is signed"


def test_the_message_id_is_a_function_of_alert_and_reader(
    mailed: Callable[..., dict[str, bytes]], story: Story, ada: Editor, breaking: Topic
) -> None:
    cy = reader("cy2@reader.example", breaking)
    alert = actions.send(story, ada, hold=0)
    message_id = str(read(mailed(alert)[cy.address])["Message-ID"])
    receipt = links.link_tokens().receipt(TokenRow(alert.pk, alert.uuid.bytes), links.row(cy))
    assert message_id.startswith(f"<{receipt.decode()}@")


def domain_of(mail: EmailMessage) -> str:
    return str(mail["Message-ID"]).strip("<>").partition("@")[2]

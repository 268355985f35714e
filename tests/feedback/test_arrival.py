"""Seed inboxes, canaries and objectives."""

from __future__ import annotations

import dataclasses
import json
from array import array
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.api.models import WebhookEvent
from morefollows.api.webhooks import endpoints
from morefollows.audience import seeds
from morefollows.audience.models import Reader, SeedInbox, Topic
from morefollows.audit.models import AuditEntry
from morefollows.config.addresses.relay_address import RelayAddress, relays
from morefollows.courier.ledger import claims, history
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.models import Batch
from morefollows.courier.recipients.selection import load_recipients
from morefollows.courier.single_mail import MailNotTaken
from morefollows.feedback.arrival import actions, burn_rates, objectives, overview, telling_alarms
from morefollows.feedback.arrival.mailbox import SeedWatch, arrived_ms, spam_folder
from morefollows.feedback.intake.receivers.mailbox import connect_to_mailbox
from morefollows.feedback.models import ObjectiveAlarm, ObjectiveResult, SeedArrival
from morefollows.setup.models import StoredSetting
from morefollows.stories import actions as stories
from morefollows.stories.alerts import canary, publication
from morefollows.stories.models import Alert, Story
from tests.support.dovecot import Dovecot
from tests.support.people import reader

pytestmark = pytest.mark.django_db
URL = "imap://seed:secret@127.0.0.1:1/INBOX"


def use(settings: Any, **changes: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, **changes)


def seed(name: str = "Provider", **more: Any) -> SeedInbox:
    return seeds.add_seed(f"{name.lower()}@seed.example", URL, None, name=name, **more)


def cut(alert: Alert) -> list[list[int]]:
    """The readers of each batch."""
    while not cut_batches(alert.pk, 10):
        pass
    return [list(history.contents(one).readers) for one in Batch.objects.filter(alert=alert)]


def test_every_alert_goes_to_seed_inboxes_once(
    breaking: Topic, ada: Editor, story: Story, cy: Reader
) -> None:
    mine, paused = seed(), seed("Paused")
    seeds.pause_seed(paused, None)
    alert = stories.send(story, ada, hold=0, alone_reason="nobody here")
    found = cut(alert)
    assert sorted(reader for batch in found for reader in batch) == sorted([cy.pk, mine.reader_id])
    # The seed inbox's address has signed up, too: still one mail.
    other = Story.objects.create(headline="Other", text="Text.", topic=breaking, author=ada)
    cy.subscriptions.update(reader=mine.reader)
    alert = stories.send(other, ada, hold=0, alone_reason="nobody here")
    assert cut(alert) == [[mine.reader_id]]


def test_seed_inboxes_need_no_consent_and_others_do(
    breaking: Topic, ada: Editor, story: Story, cy: Reader
) -> None:
    mine = seed()
    gone = reader("gone@reader.example", breaking)
    gone.subscriptions.update(state="ended")
    alert = stories.send(story, ada, hold=0, alone_reason="nobody here")
    publication.release(alert.pk, early=True)
    active = next(one for one in claims.active_alerts() if one.id == alert.pk)
    found = load_recipients(active, sorted([mine.reader_id, cy.pk, gone.pk]))
    assert found.keys() == {mine.reader_id, cy.pk}


def test_an_address_of_a_reader_is_no_seed_inbox(cy: Reader) -> None:
    with pytest.raises(ValidationError, match="reader’s"):
        seeds.add_seed(cy.address, URL, None)
    for url in ("https://x.example", "imaps://nobody", "imap://u:p@h/?password_file=/etc/hosts"):
        with pytest.raises(ValidationError) as raised:
            seeds.add_seed("a@seed.example", url, None)
        assert "url" in raised.value.message_dict
    assert not SeedInbox.objects.exists()


def test_a_password_is_neither_stored_nor_logged_in_clear(breaking: Topic) -> None:
    mine = seed()
    assert "secret" not in mine.sealed_url and seeds.mailbox_of_seed(mine).password == "secret"
    entry = AuditEntry.objects.get(what="add seed inbox")
    assert "secret" not in str(entry.details) and entry.subject == "Provider"
    seeds.remove_seed(mine, None)
    assert not SeedInbox.objects.exists() and not Reader.objects.exists()


def test_a_canary_goes_to_seed_inboxes_only(settings: Any, cy: Reader, breaking: Topic) -> None:
    use(settings, test_relay=True)
    mine = seed()
    entries = AuditEntry.objects.count()
    first = canary.send_canary()
    assert cut(first) == [[mine.reader_id]]
    assert publication.release(first.pk, early=True)
    second = canary.send_canary()
    assert second.update_id == first.update_id and second.uuid != first.uuid
    assert publication.release(second.pk, early=True) and cut(second) == [[mine.reader_id]]
    assert AuditEntry.objects.count() == entries
    Alert.objects.update(frozen_at=timezone.now() - timedelta(days=100), state="sent")
    assert canary.old_canaries().count() == 2


def test_what_is_awaited_is_known_by_its_message_id(
    breaking: Topic, ada: Editor, story: Story, cy: Reader
) -> None:
    mine = seed()
    alert = stories.send(story, ada, hold=0, alone_reason="nobody here")
    assert actions.await_new_alerts() == 0, "in its hold"
    publication.release(alert.pk, early=True)
    cut(alert)
    assert actions.await_new_alerts() == 1 and actions.await_new_alerts() == 0
    [arrival] = actions.awaited(mine)
    assert len(arrival.message_id) == 46
    actions.note_found(arrival, spam=False, at_ms=arrival.begun_at_ms + 2_500)
    [line] = overview.arrivals_of(alert)
    assert (line.state, line.seconds, line.svg_width) == ("inbox", 2.5, "100.0")
    assert not actions.awaited(mine)


def test_a_mail_that_is_not_found_is_missing_after_an_hour(
    breaking: Topic, ada: Editor, story: Story
) -> None:
    mine = seed()
    alert = stories.send(story, ada, hold=0, alone_reason="nobody here")
    publication.release(alert.pk, early=True)
    cut(alert)
    actions.await_new_alerts()
    assert actions.give_up_waiting() == 0
    SeedArrival.objects.update(begun_at_ms=1)
    assert actions.give_up_waiting() == 1 and mine.arrivals.get().state == "missing"


@pytest.mark.parametrize(
    ("received", "before", "now", "at"),
    [
        (10_000, 9_500, 11_500, 10_999),  # a whole second between both looks
        (10_000, 9_500, 10_400, 10_400),  # it can't have come later than now
        (0, 9_500, 11_500, 11_500),  # the server tells nothing
        (3_000, 9_500, 11_500, 11_500),  # its clock is late: it was not there at 9,500
        (90_000, 9_500, 11_500, 11_500),  # its clock is early
        (3_000, 0, 11_500, 3_999),  # the first look, long after it came
    ],
)
def test_when_a_mail_came(received: int, before: int, now: int, at: int) -> None:
    assert arrived_ms(received, before, now) == at


# -- objectives ------------------------------------------------------------------------------------


def result(kind: str, good: int, total: int, minutes: float) -> None:
    alert = canary.send_canary()
    at = timezone.now() - timedelta(minutes=minutes)
    ObjectiveResult.objects.create(alert=alert, kind=kind, good=good, total=total, at=at)


def test_an_alert_is_judged_by_what_was_accepted_in_time(
    settings: Any, ada: Editor, story: Story, cy: Reader, breaking: Topic
) -> None:
    use(settings, objective_percent=90.0, objective_seconds=120.0)
    reader("dee@reader.example", breaking)
    alert = stories.send(story, ada, hold=0, alone_reason="nobody here")
    publication.release(alert.pk, early=True)
    cut(alert)
    assert objectives.judge_due() == 0, "there is time left"
    times = array("I", [10_000, 240_000])  # milliseconds; the cut may have made two batches
    for batch in Batch.objects.all():
        batch.times = array("I", [times.pop() for _ in range(batch.size)]).tobytes()
        batch.save()
    Alert.objects.update(held_until_ms=stories.now_ms() - 130_000)
    assert objectives.judge_due() == 1 and objectives.judge_due() == 0
    found = ObjectiveResult.objects.get()
    assert (found.kind, found.good, found.total) == ("alerts", 1, 2)


def test_a_canary_in_the_spam_folder_is_late(settings: Any, breaking: Topic) -> None:
    use(settings, test_relay=True, canary_minutes=15)
    mine, other = seed(), seed("Other")
    alert = canary.send_canary()
    publication.release(alert.pk, early=True)
    cut(alert)
    actions.await_new_alerts()
    for arrival in [*actions.awaited(mine), *actions.awaited(other)]:
        at_ms = arrival.begun_at_ms + 3_000
        actions.note_found(arrival, spam=arrival.seed == other, at_ms=at_ms)
    Alert.objects.update(held_until_ms=stories.now_ms() - 65_000)
    assert objectives.judge_due() == 1
    found = ObjectiveResult.objects.get()
    assert (found.kind, found.good, found.total) == ("canary", 1, 2)


@pytest.mark.parametrize(
    ("results", "missed"),
    [
        ([], False),
        ([(20, 20, 30)], False),
        ([(19, 20, 1)], False),  # one late mail is no alarm
        ([(17, 20, 1)], True),  # an alert that misses it, alone in three days
        ([(980, 1000, 600), (85, 100, 500)], False),  # a small one among large ones
        ([(0, 1000, 400), (1000, 1000, 2)], False),  # late, but in time again for hours
        ([(0, 1000, 2), (1000, 1000, 50)], True),
        ([(0, 1000, 5000)], False),  # more than three days ago
    ],
)
def test_when_an_objective_is_missed(
    settings: Any, breaking: Topic, results: list[tuple[int, int, int]], missed: bool
) -> None:
    use(settings, objective_percent=90.0, test_relay=True)
    for good, total, minutes in results:
        result("alerts", good, total, minutes)
    assert (burn_rates.missed("alerts") is not None) is missed


def test_an_alarm_begins_and_ends_once(settings: Any, breaking: Topic) -> None:
    use(settings, canary_minutes=15, test_relay=True)
    for minutes in (16, 1):
        result("canary", 0, 1, minutes)
    telling_alarms.update_alarms()
    telling_alarms.update_alarms()
    alarm = ObjectiveAlarm.objects.get()
    assert (alarm.kind, alarm.good, alarm.total, alarm.ended_at) == ("canary", 0, 2, None)
    assert alarm.burn_rate == 100.0
    [line] = overview.objective_lines()
    assert line.since is not None and line.share == 0
    ObjectiveResult.objects.all().delete()
    telling_alarms.update_alarms()
    alarm.refresh_from_db()
    assert alarm.ended_at is not None


# -- a real mailbox --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    running = Dovecot()
    try:
        yield running.start()
    finally:
        running.stop()


def test_a_mail_is_found_in_the_inbox_and_among_the_spam(
    dovecot: Dovecot, breaking: Topic, ada: Editor, story: Story
) -> None:
    sieve = 'require "fileinto"; if header :contains "subject" "casino" { fileinto "Junk"; }'
    dovecot.add("seed", sieve=sieve)
    dovecot.settle("seed")
    mine = seeds.add_seed(
        "seed@dove.example", f"imap://seed:x@127.0.0.1:{dovecot.imap}/INBOX", None, name="Dove"
    )
    alerts = []
    for number in range(2):
        other = Story.objects.create(headline=f"N{number}", text="T.", topic=breaking, author=ada)
        alert = stories.send(other, ada, hold=0, alone_reason="nobody here")
        publication.release(alert.pk, early=True)
        cut(alert)
        alerts.append(alert)
    assert actions.await_new_alerts() == 2
    waiting = {one.alert_id: one for one in actions.awaited(mine)}
    with connect_to_mailbox(seeds.mailbox_of_seed(mine)) as mailbox:
        mailbox.folder.create("Junk")
        assert spam_folder(mailbox) == "Junk"
        for alert, subject in zip(alerts, ("News", "casino"), strict=True):
            raw = f"Message-ID: <{waiting[alert.pk].message_id}@herald.example>\r\n"
            dovecot.deliver("seed", f"{raw}Subject: {subject}\r\n\r\nx\r\n".encode())
        watch = SeedWatch.__new__(SeedWatch)
        watch.seed, watch._looked_at_ms, watch._spam = mine, 0, ""
        watch._look(mailbox, "INBOX", list(waiting.values()))
        mailbox.folder.set("INBOX")
        assert len(list(mailbox.fetch(mark_seen=False))) == 1, "only what settled the mailbox"
    found = {one.alert_id: one for one in mine.arrivals.all()}
    assert [found[one.pk].state for one in alerts] == ["inbox", "spam"]
    assert all(one.seconds is not None and one.seconds < 60 for one in found.values())


# -- alarms ----------------------------------------------------------------------------------------


def test_an_alarm_is_mailed_until_a_relay_takes_it(settings: Any, breaking: Topic) -> None:
    use(settings, canary_minutes=15, test_relay=True, alarm_mail="ops@herald.example")
    use(settings, alarm_relay=relays("smtp://127.0.0.1:1?name=other"))
    for minutes in (16, 1):
        result("canary", 0, 1, minutes)
    telling_alarms.update_alarms()
    sent: list[Any] = []

    def send(relay: RelayAddress, mail: EmailMessage, to: str) -> None:
        sent.append((relay.name, str(mail["Subject"]), mail.get_content(), to))
        if len(sent) == 1:
            raise MailNotTaken("451 4.3.0")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telling_alarms, "send_single", send)
        assert telling_alarms.mail_due() == 0 and telling_alarms.mail_due() == 0, (
            "not again within a minute"
        )
        ObjectiveAlarm.objects.update(mail_due_at=timezone.now())
        assert telling_alarms.mail_due() == 1 and telling_alarms.mail_due() == 0
        ObjectiveResult.objects.all().delete()
        telling_alarms.update_alarms()
        assert telling_alarms.mail_due() == 1, "its end is told, too"
    first, again, end = sent
    assert first == again and again[0] == "other" and again[3] == "ops@herald.example"
    assert "0 of 2 canaries" in again[2] and "in time again" in end[1]


def test_a_missed_objective_is_told_to_webhooks(
    settings: Any, breaking: Topic, dora: Editor
) -> None:
    use(settings, canary_minutes=15, test_relay=True)
    endpoints.add_endpoint("https://cms.example/hook", ["objective.missed", "alert.held"], dora)
    for minutes in (16, 1):
        result("canary", 0, 1, minutes)
    assert not WebhookEvent.objects.exists(), "canaries are no events"
    telling_alarms.update_alarms()
    event = json.loads(WebhookEvent.objects.get().body)
    assert event["type"] == "objective.missed"
    assert event["data"] | {"since": ""} == {
        "objective": "canary",
        "since": "",
        "until": None,
        "burn_rate": 100.0,
        "window_seconds": 3600,
        "good": 0,
        "total": 2,
    }


# -- the desk --------------------------------------------------------------------------------------


def test_the_page_of_the_settings_adds_and_shows_seed_inboxes(
    breaking: Topic, dora: Editor
) -> None:
    client = Client()
    client.force_login(dora)
    form = {"address": "a@seed.example", "host": "imap.seed.example", "password": "p:@/ %"}
    assert client.post("/desk/settings/arrival/new/", form | {"cleans": "on"}).status_code == 302
    mine = SeedInbox.objects.get()
    mailbox = seeds.mailbox_of_seed(mine)
    assert (mailbox.host, mailbox.port) == ("imap.seed.example", 993)
    assert mailbox.user == "a@seed.example"
    assert mailbox.password == "p:@/ %" and mine.name == "seed.example" and mine.cleans
    again = client.post("/desk/settings/arrival/new/", form)
    assert again.status_code == 422 and "reader’s" in again.content.decode()
    wrong = client.post(
        "/desk/settings/arrival/new/", form | {"host": "", "address": "b@s.example"}
    )
    assert wrong.status_code == 422
    saved = client.post(
        "/desk/settings/arrival/",
        {
            "canary_minutes": "15",
            "canary_seconds": "60",
            "canary_percent": "99",
            "objective_percent": "90",
            "objective_seconds": "120",
            "alarm_mail": "ops@herald.example",
        },
    )
    assert saved.status_code == 302
    assert StoredSetting.objects.get(name="canary_minutes").value == "15"
    alert = canary.send_canary()
    publication.release(alert.pk, early=True)
    cut(alert)
    actions.await_new_alerts()
    actions.note_found(actions.awaited(mine)[0], spam=True, at_ms=stories.now_ms())
    text = client.get("/desk/settings/arrival/").content.decode()
    assert "in the spam folder after" in text and "<circle" in text
    report = client.get(f"/desk/alert/{alert.uuid}/").content.decode()
    assert "In seed inboxes" in report and "in the spam folder" in report
    assert "Canary" not in client.get("/desk/").content.decode(), "it is in no list"
    client.post(f"/desk/settings/arrival/{mine.pk}/do/", {"do": "pause"})
    assert SeedInbox.objects.get().paused_at is not None
    client.post(f"/desk/settings/arrival/{mine.pk}/do/", {"do": "remove"})
    assert not SeedInbox.objects.exists()

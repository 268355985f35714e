"""Drills: who takes part, that they look different, and that they never mix with real news."""

from __future__ import annotations

import dataclasses
import io
import uuid as uuids
from datetime import timedelta
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience import addresses
from morefollows.audience import drills as drill
from morefollows.audience.consent.retention import expire_unconfirmed
from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import DRILLS
from morefollows.audience.lists.exporting import export_readers
from morefollows.audience.models import (
    DrillReader,
    Letter,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audit.models import AuditEntry
from morefollows.courier.ledger import claims
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.recipients.selection import load_recipients
from morefollows.live.stream.journal import EventJournal
from morefollows.stories import actions
from morefollows.stories.actions import ActionRefused
from morefollows.stories.alerts import alert_audience, hold_actions, publication
from morefollows.stories.drafts import actions as stories
from morefollows.stories.models import Alert, Story, Update
from tests.audience.support import sign_up
from tests.live.support import publish
from tests.support.people import drill_reader

pytestmark = pytest.mark.django_db

GUS = "gus@herald.example"
BANNER = "DRILL – not real news"


@pytest.fixture
def rehearsal(story: Story) -> Story:
    """A drill's draft, and one person who takes part."""
    Story.objects.filter(pk=story.pk).update(drill=True)
    story.refresh_from_db()
    drill_reader(GUS)
    return story


def told(story: Story, editor: Editor, **how: Any) -> Alert:
    """Sent, and the hold is over."""
    alert = actions.send(story, editor, hold=0, **how)
    assert publication.release(alert.pk)
    story.refresh_from_db()
    return alert


def invitation() -> str:
    """The path of the newest invitation's link."""
    letter = Letter.objects.filter(kind=Letter.Kind.INVITATION).latest("pk")
    return reverse(
        "drills-accept", args=(links.link_tokens().invitation(links.row(letter)).decode(),)
    )


# -- who takes part --------------------------------------------------------------------------------


def test_nobody_takes_part_who_has_not_said_yes(newsroom: object) -> None:
    part = drill.invite_reader(addresses.parse(GUS), "de")
    drill.invite_reader(addresses.parse(GUS), "de")
    assert [job.kind for job in letter_claims.claim_letters("w", 9)] == ["invitation"], (
        "asked once, however often one clicks"
    )
    assert alert_audience.drill() == 0
    visitor = Client()
    assert "An Übungen teilnehmen?" in visitor.get(invitation()).content.decode()
    assert alert_audience.drill() == 0, "link scanners open links"
    for _twice in range(2):
        assert visitor.post(invitation()).status_code == 200
    assert (
        alert_audience.drill() == 1 and Reader.objects.get(pk=part.reader_id).state == "confirmed"
    )
    drill.invite_reader(addresses.parse(GUS), "de")
    assert Letter.objects.count() == 1, "who takes part is not asked again"


def test_who_must_not_be_mailed_is_not_asked(newsroom: object, cy: Reader) -> None:
    Suppression.objects.create(key=cy.key, reason="complained", at=timezone.now())
    with pytest.raises(drill.NotPossible):
        drill.invite_reader(addresses.parse(cy.address), "en")
    Suppression.objects.all().delete()
    drill.invite_reader(addresses.parse(cy.address), "en")
    Suppression.objects.create(key=cy.key, reason="complained", at=timezone.now())
    assert letter_claims.claim_letters("w", 9) == []
    assert Client().post(invitation()).status_code == 410


def test_who_is_taken_out_is_forgotten_unless_a_reader(newsroom: object, cy: Reader) -> None:
    gus, cys = drill_reader(GUS), drill_reader(cy.address)
    assert (
        cys == cy
        and drill.remove_reader(gus.pk)
        and drill.remove_reader(cy.pk)
        and not drill.remove_reader(cy.pk)
    )
    assert list(Reader.objects.all()) == [cy] and alert_audience.drill() == 0
    assert Subscription.objects.get().state == "active"
    drill.invite_reader(addresses.parse(GUS), "en")
    DrillReader.objects.update(added_at=timezone.now() - timedelta(days=8))
    link = invitation()
    assert drill.forget_unanswered() == 1
    assert list(Reader.objects.all()) == [cy] and Client().post(link).status_code == 410


def test_who_signed_up_too_and_never_confirmed_may_still_say_yes(breaking: Topic) -> None:
    """Housekeeping deletes the address of a sign-up, but not if a drill invitation is open."""
    sign_up(breaking, GUS)
    drill.invite_reader(addresses.parse(GUS), "en")
    Letter.objects.filter(kind=Letter.Kind.CONFIRMATION).update(
        created_at=timezone.now() - timedelta(days=8)
    )
    assert expire_unconfirmed() == 1
    reader = Reader.objects.get()
    assert reader.address == GUS
    assert Client().post(invitation()).status_code == 200 and alert_audience.drill() == 1


def test_an_address_that_was_forgotten_does_not_take_part(
    rehearsal: Story, breaking: Topic, ada: Editor
) -> None:
    sign_up(breaking, "hal@herald.example")
    part = drill.invite_reader(addresses.parse("hal@herald.example"), "en")
    link = invitation()
    Letter.objects.filter(kind=Letter.Kind.CONFIRMATION).update(
        created_at=timezone.now() - timedelta(days=8)
    )
    expire_unconfirmed()
    DrillReader.objects.filter(pk=part.pk).update(added_at=timezone.now() - timedelta(days=8))
    assert drill.forget_unanswered() == 1
    assert Reader.objects.get(pk=part.reader_id).address == "", "what is kept is the evidence"
    # As data of an earlier version has it: still invited, though the address is gone.
    DrillReader.objects.create(reader_id=part.reader_id, added_at=timezone.now())
    assert Client().post(link).status_code == 410 and alert_audience.drill() == 1
    DrillReader.objects.update(confirmed_at=timezone.now())
    alert = told(rehearsal, ada)
    running = next(one for one in claims.active_alerts() if one.id == alert.pk)
    everybody = list(Reader.objects.values_list("pk", flat=True))
    assert [one.address for one in load_recipients(running, everybody).values()] == [GUS]


def test_an_export_does_not_make_readers_of_them(newsroom: object, cy: Reader) -> None:
    drill_reader(GUS)
    drill_reader(cy.address)
    out = io.BytesIO()
    assert export_readers(out) == 1 and GUS not in out.getvalue().decode()


def test_one_click_ends_drills_and_nothing_else(cy: Reader) -> None:
    drill_reader(cy.address)
    address = reverse("leave", args=(links.link_tokens().leave(links.row(cy), DRILLS).decode(),))
    assert "No more drills?" in Client().get(address).content.decode()
    answer = Client().post(address, {"List-Unsubscribe": "One-Click"})
    assert (
        answer.status_code == 200 and "You no longer take part in drills" in answer.content.decode()
    )
    assert alert_audience.drill() == 0 and Subscription.objects.get().state == "active"


def test_an_administrator_invites_and_removes(
    dora_at_desk: Client, ben_at_desk: Client, dora: Editor
) -> None:
    page, invite, remove = (reverse(name) for name in ("drills", "drill-invite", "drill-remove"))
    form = {"address": GUS, "language": "en"}
    assert (
        ben_at_desk.post(invite, form).status_code
        == ben_at_desk.post(remove, form).status_code
        == 403
    )
    assert dora_at_desk.post(invite, {**form, "address": "gus@"}).status_code == 422
    assert dora_at_desk.post(invite, form).headers["Location"] == page, (
        "no address in a web address"
    )
    assert (
        GUS in (shown := dora_at_desk.get(page).content.decode())
        and "invited, no answer yet" in shown
    )
    assert GUS not in ben_at_desk.get(page).content.decode()
    part = DrillReader.objects.get()
    of_reader = dora_at_desk.get(reverse("reader", args=(part.reader_id,))).content.decode()
    assert "invited, no answer yet" in of_reader and "invited to drills" in of_reader
    dora_at_desk.post(remove, {"reader": part.reader_id})
    dora_at_desk.post(remove, {"reader": "x"})
    assert not DrillReader.objects.exists()
    assert set(AuditEntry.objects.values_list("what", "editor")) == {
        ("invite to drills", dora.pk),
        ("remove from drills", dora.pk),
    }


# -- nothing else looks like it --------------------------------------------------------------------


def test_a_whole_drill_from_the_desk(
    ada_at_desk: Client, ada: Editor, cy: Reader, breaking: Topic, settings: Any
) -> None:
    """Started on the page of drills, then every step of real news: each page says it is a drill."""
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, hold=0)
    drill_reader(GUS)
    assert reverse("drill-new") in ada_at_desk.get(reverse("drills")).content.decode()
    at = uuids.uuid4()
    form = {
        "uuid": at,
        "revision": 0,
        "headline": "Dam breaks",
        "text": "t",
        "topic": breaking.pk,
        "language": "en",
    }
    pages = [
        ada_at_desk.get(reverse("drill-new")),
        ada_at_desk.post(reverse("drill-new"), {**form, "headline": ""}),
    ]
    ada_at_desk.post(reverse("drill-new"), form)
    story = Story.objects.get()
    assert story.drill
    send, withdraw = (reverse(name, args=(at,)) for name in ("story-send", "story-withdraw"))
    update = {"headline": "Dam holds", "text": "u", "note": "It had not.", "answers": ["1"]}
    for kind in ("first", "update", "correction"):
        if kind != "first":
            pages.append(ada_at_desk.get(reverse("story-develop", args=(at,))))
            draft = {**update, "kind": kind, "revision": story.revision}
            ada_at_desk.post(reverse("story-develop", args=(at,)), draft)
            story.refresh_from_db()
        else:
            pages.append(ada_at_desk.get(reverse("story-edit", args=(at,))))
        pages.append(check := ada_at_desk.get(reverse("story-check", args=(at,))))
        assert "Send drill to 1" in (shown := check.content.decode()) and "Send to " not in shown
        for real in ("topic", "followers", "recipients", "page"):
            ada_at_desk.post(send, {"revision": story.revision, "audience": real})
        alert_page = ada_at_desk.post(
            send, {"revision": story.revision, "audience": "drill"}
        ).headers["Location"]
        held = ada_at_desk.get(alert_page)
        pages.append(held)
        assert "To 1 reader" in held.content.decode()
        assert publication.release(Alert.objects.latest("pk").pk)
        story.refresh_from_db()
    pages.append(ada_at_desk.get(withdraw))
    words = {"reason": "Only a drill", "text": "Nothing happened."}
    assert ada_at_desk.post(withdraw, {**words, "audience": "topic"}).status_code == 422
    pages.append(
        ada_at_desk.get(
            ada_at_desk.post(withdraw, {**words, "audience": "drill"}).headers["Location"]
        )
    )
    for page in pages:
        shown = page.content.decode()
        assert "<title>DRILL: " in shown and BANNER in shown and '<body class="drill">' in shown, (
            page.request
        )
    assert (
        set(Alert.objects.values_list("audience", flat=True)) == {"drill"}
        and Alert.objects.count() == 4
    )
    row = ada_at_desk.get(reverse("desk")).content.decode()
    assert "badge drill" in row and BANNER not in row, (
        "among real ones it is marked, and the list itself is no drill"
    )


def test_its_page_says_what_it_is_and_is_in_no_list(
    rehearsal: Story, ada: Editor, breaking: Topic
) -> None:
    publish(rehearsal, "first")
    visitor = Client()
    answer = visitor.get(f"/story/{rehearsal.uuid}/")
    page = answer.content.decode()
    assert "<title>DRILL: " in page and BANNER in page
    assert '<body class="reader brand drill">' in page
    assert 'content="noindex, nofollow"' in page and answer["X-Robots-Tag"] == "noindex, nofollow"
    for absent in ("ld+json", "og:title", "feed.atom", "sign-up/"):
        assert absent not in page
    german = visitor.get(
        f"/story/{rehearsal.uuid}/", headers={"Accept-Language": "de"}
    ).content.decode()
    assert "<title>ÜBUNG: " in german and "ÜBUNG – keine echte Nachricht" in german
    told = EventJournal().read({rehearsal.uuid: ""})[rehearsal.uuid]
    assert told is not None and b"kind-drill" in told.frames[0].bodies["en"], (
        "its event stream is as real as its page"
    )
    for place in ("feed.atom", "feed.rss", "feed.json", "live.json", "1.ninjs.json"):
        assert visitor.get(f"/story/{rehearsal.uuid}/{place}").status_code == 404
    for place in (
        "",
        "topic/breaking/feed.atom",
        "topic/breaking/feed.json",
        "sitemap-news.xml",
        "sign-up/breaking/",
    ):
        shown = visitor.get(f"/{place}")
        assert shown.status_code == 200 and rehearsal.headline not in shown.content.decode(), place


# -- never the one for the other -------------------------------------------------------------------


def test_a_drill_goes_to_its_own_readers_only(rehearsal: Story, ada: Editor, cy: Reader) -> None:
    assert alert_audience.offered(rehearsal) == ["drill"] and alert_audience.drill() == 1
    for real in ("topic", "followers", "page"):
        with pytest.raises(ActionRefused):
            actions.send(rehearsal, ada, audience=real)
    assert told(rehearsal, ada).audience == "drill"
    with pytest.raises(ActionRefused):
        actions.withdraw(
            rehearsal, ada, reason="Only a drill", text="Nothing happened.", audience="recipients"
        )
    assert (
        actions.withdraw(rehearsal, ada, reason="Only a drill", text="Nothing happened.").audience
        == "drill"
    )


def test_real_news_can_not_be_sent_from_a_drills_screen(
    ada_at_desk: Client, story: Story, cy: Reader
) -> None:
    ada_at_desk.post(
        reverse("story-send", args=(story.uuid,)), {"revision": story.revision, "audience": "drill"}
    )
    assert not Alert.objects.exists()


def test_neither_is_saved_over_the_other(
    ada_at_desk: Client, story: Story, ada: Editor, breaking: Topic
) -> None:
    form = {
        "uuid": story.uuid,
        "revision": 1,
        "headline": "Dam breaks",
        "text": "t",
        "language": "en",
    }
    page = ada_at_desk.post(reverse("drill-new"), {**form, "topic": breaking.pk, "check": "1"})
    assert page.status_code == 409 and "neither becomes the other" in page.content.decode()
    Story.objects.update(drill=True)
    wording: dict[str, Any] = {
        "headline": "Real",
        "standfirst": "",
        "text": "t",
        "topic": breaking,
        "language": "en",
    }
    with pytest.raises(ActionRefused):
        stories.save_story(story.uuid, ada, revision=1, **wording)
    assert Story.objects.get().headline == story.headline


def test_the_database_itself_keeps_drills_apart(rehearsal: Story, ada: Editor, cy: Reader) -> None:
    alert = told(rehearsal, ada)
    changes = (
        lambda: Alert.objects.update(audience="topic"),
        lambda: Story.objects.update(drill=False),
        lambda: Alert.objects.create(
            update=alert.update,
            topic=alert.topic,
            sent_by=ada,
            frozen_at=timezone.now(),
            held_until_ms=1,
            expires_at_ms=1,
        ),
    )
    for change in changes:
        with pytest.raises(DatabaseError, match="drill"), transaction.atomic():
            change()
    real = Story.objects.create(headline="Real", text="It is.", topic=rehearsal.topic, author=ada)
    with pytest.raises(ActionRefused, match="audience"):
        actions.send(real, ada, audience="drill")
    held = actions.send(real, ada)
    with pytest.raises(DatabaseError, match="drill"), transaction.atomic():
        Update.objects.filter(pk=held.update_id).update(story=rehearsal)
    hold_actions.take_back(held, ada)
    told(real, ada)
    with pytest.raises(DatabaseError, match="drill"), transaction.atomic():
        Alert.objects.filter(update__story=real).update(audience="drill")


def test_the_menu_stays_at_drills(ada_at_desk: Client, ada: Editor, rehearsal: Story) -> None:
    alert = actions.send(rehearsal, ada, alone_reason="alone")
    page = ada_at_desk.get(reverse("alert", args=(alert.uuid,))).content.decode()
    link = page.partition(f'href="{reverse("drills")}"')[2].partition(">")[0]
    assert "aria-current" in link


def test_its_drafts_are_with_the_drills(ada_at_desk: Client, rehearsal: Story) -> None:
    home = ada_at_desk.get("/desk/")
    assert rehearsal.headline not in home.content.decode() and home.context["draft_count"] == 0
    drills = ada_at_desk.get(reverse("drills")).content.decode()
    assert rehearsal.headline in drills and '<span class="badge drill">Drill</span' in drills
    deleted = ada_at_desk.post(reverse("story-delete", args=(rehearsal.uuid,)))
    assert deleted.headers["Location"] == reverse("drills")
    assert rehearsal.headline in ada_at_desk.get(reverse("deleted-drafts")).content.decode()


def test_one_that_waits_for_somebody_is_marked_on_home(
    ada_at_desk: Client, ada: Editor, ben: Editor, rehearsal: Story
) -> None:
    Story.objects.update(approval_asked_of=ada, approval_asked_by=ben)
    page = ada_at_desk.get("/desk/").content.decode()
    needs = page[page.index('id="part-needs"') :].partition("</section>")[0]
    assert rehearsal.headline in needs and '<span class="badge drill">Drill</span>' in needs

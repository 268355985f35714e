"""Offers: a purpose of their own, from the desk to the mail, apart from news."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from morefollows.accounts import people
from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.message import preview as previews
from morefollows.stories import actions
from morefollows.stories.actions import ActionRefused
from morefollows.stories.alerts import publication
from morefollows.stories.drafts.actions import save_story
from morefollows.stories.models import Alert, Story
from tests.courier.support import states
from tests.support.people import reader


@pytest.fixture
def offer(ada: Editor, cy: Reader, breaking: Topic) -> Story:
    """Ada may write offers, and has written one. Dee agreed to offers; Cy did not."""
    people.grant(ada, {"writes_offers": True}, None)
    ada.refresh_from_db()
    reader("dee@reader.example", breaking, offers=True)
    return save_story(
        uuid.uuid4(),
        ada,
        revision=0,
        headline="The Herald for half the price",
        standfirst="Until Sunday.",
        text="Read the **whole paper**.",
        topic=None,
        language="en",
    )


def sent(offer: Story, ada: Editor) -> Alert:
    alert = actions.send(offer, ada, hold=0)
    assert publication.release(alert.pk)
    while not cut_batches(alert.pk, 3):
        pass
    alert.refresh_from_db()
    return alert


def test_it_goes_to_who_agreed_to_offers_in_the_bulk_lane(offer: Story, ada: Editor) -> None:
    alert = sent(offer, ada)
    assert (alert.lane, alert.audience, alert.topic) == ("bulk", "offers", None)
    assert list(states(alert)) == [Reader.objects.get(address="dee@reader.example").pk]
    offer.refresh_from_db()
    assert offer.state == "final"


def test_no_page_for_readers_knows_it(offer: Story, ada: Editor) -> None:
    sent(offer, ada)
    assert offer.headline not in Client().get("/").content.decode()
    assert Client().get(f"/story/{offer.uuid}/").status_code == 404


def test_the_mail_says_what_it_is_and_nothing_of_breaking_news(offer: Story) -> None:
    for language, word in (("en", "Offer"), ("de", "Angebot")):
        preview = previews.preview(offer, language)
        for body in (preview.html, preview.text):
            assert word in body
            assert not {"breaking", "more follows", "eil"} & set(body.lower().split())
            assert "/story/" not in body
        assert preview.preheader.startswith(f"{word}: ")


def test_the_desk(offer: Story, ada_at_desk: Client) -> None:
    assert offer.headline not in ada_at_desk.get("/desk/").content.decode()
    assert offer.headline in ada_at_desk.get("/desk/offers/").content.decode()
    assert ada_at_desk.get("/desk/offers/new/").status_code == 200
    assert ada_at_desk.get(f"/desk/story/{offer.uuid}/").status_code == 200
    page = ada_at_desk.get(f"/desk/story/{offer.uuid}/check/").content.decode()
    assert "Everyone who agreed to offers" in page
    form = {
        "uuid": str(uuid.uuid4()),
        "revision": "0",
        "headline": "Open day",
        "text": "Come.",
        "language": "en",
    }
    answer = ada_at_desk.post(
        "/desk/offers/new/", form | {"check": "1", "topic": str(Topic.objects.all()[0].pk)}
    )
    assert answer.status_code == 302
    assert Story.objects.get(headline="Open day").purpose == "offers"
    answer = ada_at_desk.post(
        f"/desk/story/{offer.uuid}/send/", {"revision": offer.revision}, follow=True
    )
    assert "Offer, on hold" in answer.content.decode()


def test_who_has_no_right_to_it(offer: Story, ben: Editor, ben_at_desk: Client) -> None:
    its = f"/desk/story/{offer.uuid}/"
    for path in ("/desk/offers/", "/desk/offers/new/", its, f"{its}check/", f"{its}mail/"):
        assert ben_at_desk.get(path).status_code == 403
    assert "/desk/offers/" not in ben_at_desk.get("/desk/").content.decode()
    editor = Editor.objects.create(email="eve@herald.example", name="Eve", role="editor")
    for who in (ben, editor):
        with pytest.raises(ActionRefused):
            actions.send(offer, who)
    assert not Alert.objects.exists()


def test_an_offer_never_becomes_a_story(offer: Story, ada: Editor, breaking: Topic) -> None:
    words = {"headline": "x", "standfirst": "", "text": "x", "language": "en"}
    with pytest.raises(ActionRefused):
        save_story(offer.uuid, ada, revision=offer.revision, topic=breaking, **words)
    with pytest.raises(IntegrityError), transaction.atomic():
        Story.objects.filter(pk=offer.pk).update(topic=breaking)

"""The people of every test, and the newsroom that they have in common: all fictional."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from morefollows.accounts.models import Editor
    from morefollows.audience.models import Newsroom, Reader, Topic
    from morefollows.stories.models import Story

PASSWORD = "a long walk along the harbour"


@pytest.fixture
def newsroom(db: None) -> Newsroom:
    """The Harbour Herald, with its wordings as `up --sample` makes them."""
    from morefollows.audience.models import Newsroom
    from morefollows.audience.newsroom import ensure_sample

    ensure_sample()
    return Newsroom.objects.get(pk=1)


@pytest.fixture
def breaking(newsroom: Newsroom) -> Topic:
    """The topic "Breaking news"."""
    from morefollows.audience.models import Topic

    return Topic.objects.get(slug="breaking")


@pytest.fixture
def ada(db: None) -> Editor:
    """Ada edits: she sends alerts."""
    return _editor("ada@herald.example", "Ada Marsh", "editor")


@pytest.fixture
def ben(db: None) -> Editor:
    """Ben reports: he drafts, and may not send."""
    return _editor("ben@herald.example", "Ben Okoro", "reporter")


@pytest.fixture
def dora(db: None) -> Editor:
    """Dora administers the installation."""
    return _editor("dora@herald.example", "Dora Quay", "administrator")


@pytest.fixture
def cy(breaking: Topic) -> Reader:
    """Cy reads: confirmed, with the topic "Breaking news"."""
    return reader("cy@reader.example", breaking)


@pytest.fixture
def story(breaking: Topic, ada: Editor) -> Story:
    """Ada's draft."""
    from morefollows.stories.models import Story

    return Story.objects.create(
        headline="Harbour bridge closed after ferry collision",
        standfirst="Nobody is hurt. Trains and trams are being turned back at both ends.",
        text="The **harbour bridge** was closed at 14:05 after a ferry struck its second pier.\n\n"
        "Engineers are on their way, the [port authority](https://port.example/notice) said.",
        topic=breaking,
        author=ada,
    )


@pytest.fixture
def ada_at_desk(ada: Editor) -> Client:
    """Ada's browser, signed in."""
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def ben_at_desk(ben: Editor) -> Client:
    """Ben's browser, signed in."""
    client = Client()
    client.force_login(ben)
    return client


@pytest.fixture
def dora_at_desk(dora: Editor) -> Client:
    """Dora's browser, signed in."""
    client = Client()
    client.force_login(dora)
    return client


def reader(address: str, topic: Topic, *, language: str = "en", offers: bool = False) -> Reader:
    """A confirmed reader of `topic`, with the evidence that belongs to it."""
    return readers([address], topic, language=language, offers=offers)[0]


def readers(
    written: Sequence[str], topic: Topic, *, language: str = "en", offers: bool = False
) -> list[Reader]:
    """Readers as of `reader` with these addresses, however many."""
    from morefollows.audience import addresses
    from morefollows.audience.models import Consent, Purpose, Reader, Subscription

    now = timezone.now()
    made = Reader.objects.bulk_create(
        Reader(
            address=address,
            key=(parsed := addresses.parse(address)).key,
            domain=parsed.domain,
            language=language,
            state=Reader.State.CONFIRMED,
            created_at=now,
            confirmed_at=now,
            offers=offers,
        )
        for address in written
    )
    active = Subscription.State.ACTIVE
    Subscription.objects.bulk_create(
        Subscription(reader=one, topic=topic, state=active, since=now) for one in made
    )
    Consent.objects.bulk_create(
        Consent(
            reader=one,
            topic=topic,
            purpose=Purpose.ALERTS,
            event=event,
            how=Consent.How.FORM,
            at=now,
        )
        for one in made
        for event in (Consent.Event.GIVEN, Consent.Event.CONFIRMED)
    )
    return made


def drill_reader(address: str, language: str = "en") -> Reader:
    """Invited to drills, and has pressed the button behind the link."""
    from morefollows.audience import addresses
    from morefollows.audience import drills as drill
    from morefollows.audience.link_tokens import links
    from morefollows.audience.models import Letter

    part = drill.invite_reader(addresses.parse(address), language)
    letter = Letter.objects.filter(kind=Letter.Kind.INVITATION, reader=part.reader).latest("pk")
    assert drill.accept(links.link_tokens().invitation(links.row(letter)).decode())
    return part.reader


def _editor(email: str, name: str, role: str) -> Editor:
    from morefollows.accounts.models import Editor

    editor = Editor(email=email, name=name, role=role)
    editor.set_password(PASSWORD)
    editor.save()
    return editor

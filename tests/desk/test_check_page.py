"""The page to look at before Send, and how many readers it names."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from morefollows.audience.models import Newsroom, Reader, Subscription, Suppression, Topic
from morefollows.courier.relay_pauses import pause_relay
from morefollows.stories.alerts import alert_audience
from morefollows.stories.models import Alert, Story
from tests.support.people import reader, readers


def check(story: Story) -> str:
    return reverse("story-check", args=(story.uuid,))


def test_who_counts_as_a_reader(breaking: Topic) -> None:
    other = Topic.objects.create(slug="other", name="Other")
    reader("a@reader.example", breaking)
    reader("b@reader.example", breaking, language="de")
    reader("other@reader.example", other)
    ended = reader("ended@reader.example", breaking)
    Subscription.objects.filter(reader=ended).update(state=Subscription.State.ENDED)
    gone = reader("gone@reader.example", breaking)
    Reader.objects.filter(pk=gone.pk).update(state=Reader.State.HARD_BOUNCED)
    barred = reader("barred@reader.example", breaking)
    Suppression.objects.create(key=barred.key, reason=Suppression.Reason.DESK, at=timezone.now())

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert alert_audience.count_readers(breaking) == 2
    assert len(queries) == 2, "one tells whether there are many readers"
    assert alert_audience.count_readers(breaking, "de") == 1
    with CaptureQueriesContext(connection) as queries:
        assert alert_audience.by_language(breaking) == {"de": 1, "en": 1}
    assert len(queries) == 2


def test_the_mail_is_shown_as_it_will_be(
    ada_at_desk: Client, story: Story, cy: Reader, newsroom: Newsroom
) -> None:
    for language, numbers in (("de", range(401)), ("en", range(401, 1203))):
        readers([f"r{number}@reader.example" for number in numbers], story.topic, language=language)
    page = ada_at_desk.get(check(story)).content.decode()
    assert "Send to 1,204" in page
    assert "German 401" in page
    assert story.headline in page
    assert f"Breaking: {story.standfirst}" in page, "the preheader"
    assert newsroom.sender_name in page
    assert "port.example/notice" in page, "the plain text, with its links"
    assert "Nothing leaves this machine" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "allow-scripts" not in page
    assert "allow-same-origin" not in page


def test_the_frame_lets_the_mail_do_nothing(ada_at_desk: Client, story: Story) -> None:
    frame = reverse("story-mail", args=(story.uuid,))
    response = ada_at_desk.get(frame)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert "sandbox" in policy
    assert "script" not in policy.replace("allow-scripts", "!")
    assert story.headline in response.content.decode()


def test_light_and_dark_do_not_depend_on_the_editors_screen(
    ada_at_desk: Client, story: Story
) -> None:
    story.text = "A (light dark) room."
    story.save()
    frame = reverse("story-mail", args=(story.uuid,))
    light = ada_at_desk.get(frame).content.decode()
    dark = ada_at_desk.get(frame, {"scheme": "dark"}).content.decode()
    for page in (light, dark):
        assert "prefers-color-scheme" not in page
        assert "A (light dark) room." in " ".join(page.split()), "the story's own words stay"
    assert "@media all" in dark
    assert "@media not all" in light
    assert 'content="dark"' in dark


def test_the_mails_own_words_come_in_the_readers_languages(
    ada_at_desk: Client, story: Story, cy: Reader
) -> None:
    reader("d@reader.example", story.topic, language="de")
    page = ada_at_desk.get(check(story)).content.decode()
    assert 'name="shown_in" value="de"' in page
    frame = reverse("story-mail", args=(story.uuid,))
    german = ada_at_desk.get(frame, {"language": "de"}).content.decode()
    assert german != ada_at_desk.get(frame).content.decode()
    assert ada_at_desk.get(frame, {"language": "../x"}).status_code == 200


def test_nobody_to_send_to_is_said(ada_at_desk: Client, story: Story) -> None:
    page = " ".join(ada_at_desk.get(check(story)).content.decode().split())
    assert "Nobody would get this alert. Under Recipients" in page
    assert "1 to do: recipients" in page
    send = reverse("story-send", args=(story.uuid,))
    assert ada_at_desk.post(send, {"revision": story.revision}).status_code == 422
    assert not Alert.objects.exists()
    answer = ada_at_desk.post(send, {"revision": story.revision, "audience": "page"})
    assert answer.status_code == 302


def test_the_switch_for_a_flash_says_what_it_does(
    ada_at_desk: Client, story: Story, cy: Reader
) -> None:
    page = ada_at_desk.get(check(story)).content.decode()
    switch = page[page.index('name="flash"') :]
    assert "Send even in quiet hours</span>" in switch[:500]


def test_a_reporter_may_look_but_has_no_send(ben_at_desk: Client, story: Story, cy: Reader) -> None:
    page = ben_at_desk.get(check(story)).content.decode()
    assert 'id="send"' not in page
    assert "1 reader" in page


def test_a_paused_relay_is_told_with_its_reason(
    ada_at_desk: Client, ben_at_desk: Client, story: Story
) -> None:
    pause_relay("local inbox", "550 5.7.1 <b>We do not trust you</b>")
    page = ada_at_desk.get(check(story)).content.decode()
    assert "The relay local inbox is paused" in page
    assert "5.7.1 &lt;b&gt;We do not trust you" in page
    assert "Resume the relay" in page
    assert "Resume the relay" not in ben_at_desk.get(check(story)).content.decode()


@pytest.mark.django_db
def test_without_a_newsroom_there_is_a_remedy_not_a_crash(ada_at_desk: Client, ada: object) -> None:
    topic = Topic.objects.create(slug="breaking", name="Breaking news")
    story = Story.objects.create(headline="h", text="t", topic=topic, author=ada)  # type: ignore[misc]
    response = ada_at_desk.get(check(story), follow=True)
    assert "nothing can be mailed" in response.content.decode()


def test_what_a_press_did_is_said_before_all_else(ada_at_desk: Client, story: Story) -> None:
    form = {"revision": story.revision, "test": "1"}
    where = reverse("story-send", args=(story.uuid,))
    page = ada_at_desk.post(where, form, follow=True).content.decode()
    said = page.index("A test is on its way to ada@herald.example")
    assert page.index('class="said"') < said < page.index('id="story"'), "on a phone it is on top"

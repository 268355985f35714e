"""What has to be filled in before a relay is given any mail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings
from django.test import override_settings

from morefollows.accounts.models import Editor
from morefollows.audience import placeholders
from morefollows.audience.models import Newsroom
from morefollows.audience.newsroom import set_up_newsroom
from morefollows.config.settings import RelayAddress
from morefollows.stories import actions
from morefollows.stories.models import Alert, Story

URL = "https://alerts.ellery-post.org"
FILLED_IN = {
    "name": "The Ellery Post",
    "sender_address": "alerts@ellery-post.org",
    "postal_address": "3 Quay Street, Port Ellery",
}


def missing(**settings_: str) -> list[str]:
    config = replace(settings.MOREFOLLOWS, **{"url": URL, **settings_})
    return [one.field for one in placeholders.found(config, Newsroom.objects.filter(pk=1).first())]


@pytest.mark.django_db
def test_what_the_first_start_and_the_sample_write_is_not_filled_in() -> None:
    assert missing() == ["newsroom"]
    set_up_newsroom()
    assert missing() == ["name", "postal_address", "sender_address"]
    set_up_newsroom(
        placeholders.SAMPLE_NAME,
        sender_address=placeholders.SAMPLE_SENDER,
        postal_address=placeholders.SAMPLE_POSTAL,
    )
    assert missing() == ["name", "postal_address", "sender_address"]
    set_up_newsroom(**FILLED_IN)
    assert missing() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "YOUR NEWSROOM "),
        ("sender_name", "Your newsroom"),
        ("postal_address", " your postal address"),
        ("postal_address", " "),
        *(
            ("sender_address", f"alerts@{domain}")
            for domain in (
                "a.b.EXAMPLE",
                "herald.test",
                "x.invalid",
                "example.com",
                "mail.example.net",
                "example.org",
            )
        ),
    ],
)
def test_each_field(field: str, value: str) -> None:
    newsroom = set_up_newsroom(**FILLED_IN)
    Newsroom.objects.filter(pk=1).update(**{field: value})
    assert missing() == [field]
    assert (
        f"morefollows newsroom --{field.replace('_', '-')}"
        in placeholders.found(
            replace(settings.MOREFOLLOWS, url=URL), Newsroom.objects.get(pk=newsroom.pk)
        )[0].text
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8025",
        "http://localhost:8025",
        "http://[::1]",
        "http://0.0.0.0",
        "https://alerts.herald.example",
    ],
)
def test_links_that_lead_nowhere(url: str) -> None:
    set_up_newsroom(**FILLED_IN)
    assert missing(url=url) == ["MOREFOLLOWS_URL"]


@pytest.mark.django_db
def test_domains_of_the_settings() -> None:
    set_up_newsroom(**FILLED_IN)
    assert missing(bounce_domain="bounces.example.org") == ["MOREFOLLOWS_BOUNCE_DOMAIN"]
    assert missing(dkim_domain="herald.example") == ["MOREFOLLOWS_DKIM_DOMAIN"]
    assert missing(bounce_domain="b.ellery-post.org", dkim_domain="example.ellery-post.org") == []


def test_send_says_which_field(story: Story, ada: Editor) -> None:
    """Nothing may be sent, not even to a relay on this machine, which may be a real one."""
    relay = RelayAddress("127.0.0.1", 25)
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, relays=(relay,))):
        with pytest.raises(
            actions.ActionRefused, match=r"be sent yet\..*--name.*--postal-address.*MOREFOLLOWS_URL"
        ):
            actions.send(story, ada, hold=60)
    assert not Alert.objects.exists()
    with override_settings(
        MOREFOLLOWS=replace(settings.MOREFOLLOWS, relays=(relay,), test_relay=True)
    ):
        actions.send(story, ada, hold=60)

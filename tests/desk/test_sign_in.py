"""Who gets in, and how often one may try."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts import actions
from morefollows.accounts.models import Editor, FailedSignIns
from morefollows.audience.models import Newsroom
from morefollows.stories.models import Story
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db
DESK = "/desk/"
SIGN_IN = "/desk/sign-in/"


def try_to_sign_in(client: Client, email: str, password: str, **more: str) -> str:
    return client.post(SIGN_IN, {"email": email, "password": password, **more}).content.decode()


def test_ada_signs_in_and_out(client: Client, ada: Editor, newsroom: Newsroom) -> None:
    response = client.post(SIGN_IN, {"email": " Ada@Herald.example ", "password": PASSWORD})
    assert response.headers["Location"] == DESK
    assert client.get(DESK).status_code == 200
    assert client.get("/desk/sign-out/").status_code == 405
    assert client.get(DESK).status_code == 200
    client.post("/desk/sign-out/")
    assert client.get(DESK).status_code == 302


def test_whoever_has_not_signed_in_is_led_to_the_door_and_on(
    client: Client, story: Story, newsroom: Newsroom
) -> None:
    for name in ("story-edit", "story-check", "story-mail"):
        page = reverse(name, args=(story.uuid,))
        assert client.get(page).headers["Location"] == f"{SIGN_IN}?next={page}"
    page = reverse("story-check", args=(story.uuid,))
    response = client.post(
        SIGN_IN, {"email": "ada@herald.example", "password": PASSWORD, "next": page}
    )
    assert response.headers["Location"] == page


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "evil", "javascript:alert(1)"]
)
def test_signing_in_never_leads_elsewhere(
    client: Client, ada: Editor, newsroom: Newsroom, elsewhere: str
) -> None:
    response = client.post(SIGN_IN, {"email": ada.email, "password": PASSWORD, "next": elsewhere})
    assert response.headers["Location"] == DESK


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: Client, ada: Editor
) -> None:
    answers = []
    for email in (ada.email, "nobody@herald.example"):
        page = try_to_sign_in(client, email, "wrong password")
        answers.append(re.sub(r'value="[^"]*"', "", page))
    assert "don’t go together" in answers[0]
    assert answers[0] == answers[1]


def test_whoever_has_left_the_newsroom_does_not_get_in(client: Client, ada: Editor) -> None:
    ada.is_active = False
    ada.save()
    assert "don’t go together" in try_to_sign_in(client, ada.email, PASSWORD)


def test_failed_tries_are_damped_by_account_and_network(
    client: Client, ada: Editor, ben: Editor
) -> None:
    for _ in range(5):
        try_to_sign_in(client, ada.email, "wrong password")
    assert "Too many failed tries" in try_to_sign_in(client, ada.email, PASSWORD)
    assert client.get(DESK).status_code == 302

    # Somebody else's account, or Ada from elsewhere, is not kept waiting.
    assert client.post(SIGN_IN, {"email": ben.email, "password": PASSWORD}).status_code == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post(SIGN_IN, {"email": ada.email, "password": PASSWORD}).status_code == 302


def test_the_wait_doubles_and_then_is_over(client: Client, ada: Editor) -> None:
    waits = []
    for _ in range(8):
        actions.note_failed_sign_in(ada.email, "127.0.0.1")
        waits.append(actions.seconds_to_wait(ada.email, "127.0.0.1"))
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8]
    FailedSignIns.objects.update(wait_until=timezone.now() - timedelta(seconds=1))
    assert client.post(SIGN_IN, {"email": ada.email, "password": PASSWORD}).status_code == 302
    assert actions.seconds_to_wait(ada.email, "127.0.0.1") == 0
    actions.note_failed_sign_in(ada.email, "127.0.0.1")
    assert actions.seconds_to_wait(ada.email, "127.0.0.1") == 0


def test_one_password_tried_on_many_accounts_is_damped_too(db: None) -> None:
    for number in range(31):
        actions.note_failed_sign_in(f"n{number}@herald.example", "2001:db8::1")
    assert actions.seconds_to_wait("ada@herald.example", "2001:db8::2") > 0, (
        "the /64 counts, not the address"
    )
    assert actions.seconds_to_wait("ada@herald.example", "2001:db8:0:1::1") == 0


def test_no_address_is_kept_of_failed_tries(ada: Editor) -> None:
    actions.note_failed_sign_in(ada.email, "192.0.2.7")
    for row in FailedSignIns.objects.all():
        assert re.fullmatch("[0-9a-f]{64}", row.key)


def test_the_one_time_link_is_used_up_by_its_form_alone(client: Client) -> None:
    dee = actions.add_editor("Dee@Herald.example", "Dee Wren", "reporter")
    assert dee.email == "dee@herald.example"
    assert not dee.has_usable_password()
    link = actions.invitation_link(dee)
    assert link.startswith(f"{settings.MOREFOLLOWS.url}/desk/first/")
    path = link.removeprefix(settings.MOREFOLLOWS.url)

    for _ in range(3):  # a link scanner comes by
        assert "Welcome, Dee Wren" in client.get(path).content.decode()
    assert client.post(path, {"password": "short"}).status_code == 422
    assert client.post(path, {"password": "password1234"}).status_code == 422, "a common one"
    assert client.post(path, {"password": PASSWORD}).headers["Location"] == DESK
    assert client.get(DESK).status_code == 200

    again = Client()
    assert again.get(path).status_code == 410
    assert again.post(path, {"password": "another long password"}).status_code == 410
    assert again.post(SIGN_IN, {"email": dee.email, "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("key", ["MQ", "!!", "AAAA", "_" * 40])
def test_a_link_that_is_none_of_ours_is_told_so(client: Client, ada: Editor, key: str) -> None:
    assert (
        client.get(
            f"/desk/first/{key}/{default_token_generator.make_token(ada)[:-1]}x/"
        ).status_code
        == 410
    )


def test_a_link_grows_old(client: Client, ada: Editor) -> None:
    path = actions.invitation_link(ada).removeprefix(settings.MOREFOLLOWS.url)
    with override_settings(PASSWORD_RESET_TIMEOUT=-1):
        assert client.get(path).status_code == 410


@pytest.mark.parametrize(
    ("email", "name", "role", "field"),
    [
        ("not an address", "Dee", "editor", "email"),
        ("ADA@herald.example", "Dee", "editor", "email"),
        ("dee@herald.example", "", "editor", "name"),
        ("dee@herald.example", "Dee", "king", "role"),
    ],
)
def test_an_account_that_will_not_do_is_refused(
    ada: Editor, email: str, name: str, role: str, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        actions.add_editor(email, name, role)
    assert field in refused.value.message_dict
    assert Editor.objects.count() == 1

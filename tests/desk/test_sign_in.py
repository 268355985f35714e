"""Who gets in, and how often one may try."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from django.urls import reverse

from morefollows.accounts import actions
from morefollows.accounts.models import Editor
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


def test_an_editor_without_a_session_is_led_to_the_sign_in_page_and_on(
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
        answers.append(re.sub(r'(value|data-options)="[^"]*"', "", page))
    assert "don’t go together" in answers[0]
    assert answers[0] == answers[1]


def test_a_deactivated_editor_does_not_get_in(client: Client, ada: Editor) -> None:
    ada.is_active = False
    ada.save()
    assert "don’t go together" in try_to_sign_in(client, ada.email, PASSWORD)


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


def test_the_first_sign_in_asks_for_the_name(client: Client) -> None:
    first = actions.add_editor("first@herald.example", actions.UNNAMED, "administrator")
    path = actions.invitation_link(first).removeprefix(settings.MOREFOLLOWS.url)
    page = client.get(path).content.decode()
    assert "Your name, as colleagues and readers see it" in page
    field = re.search(r'<input[^>]* name="own_name"[^>]*id="id_own_name"[^>]*>', page)
    assert field and "required" in field[0] and "value" not in field[0]
    assert actions.UNNAMED not in page.split("<h1>")[1].split("</h1>")[0]
    for nobody in ("", "  ", "Ada\u202eMarsh"):
        answer = client.post(path, {"password": PASSWORD, "own_name": nobody})
        assert answer.status_code == 422, nobody
    answer = client.post(path, {"password": PASSWORD, "own_name": " Ada Marsh "})
    assert answer.headers["Location"] == DESK
    first.refresh_from_db()
    assert first.name == "Ada Marsh"
    # Later links are for a new password only.
    link = actions.invitation_link(first).removeprefix(settings.MOREFOLLOWS.url)
    assert "own_name" not in Client().get(link).content.decode()


def test_an_invited_name_stands_in_the_first_sign_in(client: Client) -> None:
    dee = actions.add_editor("dee@herald.example", "Dee Wren", "reporter")
    path = actions.invitation_link(dee).removeprefix(settings.MOREFOLLOWS.url)
    assert 'value="Dee Wren"' in client.get(path).content.decode()


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

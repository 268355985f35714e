"""The people page, the account's page, and what needs a recent sign-in."""

from __future__ import annotations

import re
import time

import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.core.cache import cache
from django.test import Client, RequestFactory

from morefollows.accounts import people
from morefollows.accounts.models import DeskSession, Editor, Role
from morefollows.accounts.sign_in import passkeys, second_factors
from morefollows.accounts.sign_in.sessions import SessionStore
from morefollows.api.keys import create_key, revoke_key
from morefollows.audience.models import Letter, Newsroom, Reader, Topic
from morefollows.audit.models import AuditEntry
from morefollows.stories.models import Alert, Story
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db
PEOPLE = "/desk/people/"
SIGN_IN = "/desk/sign-in/"


@pytest.fixture(autouse=True)
def _newsroom(newsroom: Newsroom) -> None:
    """All pages need one."""


def grown_old(client: Client) -> Client:
    """The sign-in of this browser is an hour old."""
    session = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    session["authenticated"] = time.time() - 3600
    session.save()
    return client


def signed_in(editor: Editor, client: Client | None = None) -> Client:
    client = client or Client()
    answer = client.post(SIGN_IN, {"email": editor.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def code_of(secret: str, steps: int = 0) -> str:
    counter = int(time.time()) // 30 + steps
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def with_setting(monkeypatch: pytest.MonkeyPatch, **given: object) -> None:
    import dataclasses

    monkeypatch.setattr(settings, "MOREFOLLOWS", dataclasses.replace(settings.MOREFOLLOWS, **given))


def test_administrators_invite_change_and_disable(
    dora_at_desk: Client, dora: Editor, ada: Editor
) -> None:
    answer = dora_at_desk.post(
        f"{PEOPLE}invite/", {"email": "eve@herald.example", "role": "editor"}
    )
    assert answer.headers["Location"] == PEOPLE
    eve = Editor.objects.get(email="eve@herald.example")
    assert Letter.objects.get().editor == eve
    page = dora_at_desk.get(PEOPLE).content.decode()
    assert "Invited by Dora Quay" in page and "Ada Marsh" in page
    again = dora_at_desk.post(f"{PEOPLE}invite/", {"email": "eve@herald.example", "role": "editor"})
    assert again.status_code == 422
    dora_at_desk.post(f"{PEOPLE}{eve.pk}/do/", {"do": "cancel"})
    assert not Editor.objects.filter(pk=eve.pk).exists() and not Letter.objects.exists()

    weather = Topic.objects.get(slug="weather")
    rights = {"role": "editor", "offers": "yes", "drills": "no", "readers": "role"}
    dora_at_desk.post(f"{PEOPLE}{ada.pk}/", {**rights, "topics": [weather.pk]})
    ada = Editor.objects.get(pk=ada.pk)
    assert (ada.may_offer, ada.may_drill, ada.may_see_readers) == (True, False, True)
    assert ada.topic_ids == {weather.pk}

    hers = signed_in(ada)
    asked = dora_at_desk.post(f"{PEOPLE}{ada.pk}/do/", {"do": "disable"}).content.decode()
    assert "Disable Ada Marsh?" in asked and hers.get("/desk/").status_code == 200
    dora_at_desk.post(f"{PEOPLE}{ada.pk}/do/", {"do": "disable", "sure": "1"})
    assert hers.get("/desk/").status_code == 302
    assert "Disabled by Dora Quay" in dora_at_desk.get(PEOPLE).content.decode()
    dora_at_desk.post(f"{PEOPLE}{ada.pk}/do/", {"do": "enable"})
    signed_in(ada)
    dora_at_desk.post(f"{PEOPLE}{dora.pk}/do/", {"do": "disable", "sure": "1"})
    dora_at_desk.post(f"{PEOPLE}{dora.pk}/", {**rights, "role": "reporter", "every_topic": "on"})
    dora.refresh_from_db()
    assert dora.is_active and dora.role == "administrator", "the last one"
    logged = set(AuditEntry.objects.values_list("what", flat=True))
    assert {"invite editor", "cancel invitation", "grant rights", "disable editor"} <= logged


def test_who_disables_somebody_is_told_of_the_keys_that_stay(
    dora_at_desk: Client, dora: Editor, ada: Editor, breaking: Topic
) -> None:
    how = {"role": Role.EDITOR, "scopes": ["topics:read"]}
    create_key("Old CMS", created_by=ada, **how)
    revoke_key(create_key("Gone", created_by=ada, **how)[0], dora)
    create_key("Mine", created_by=dora, **how)
    asked = dora_at_desk.post(f"/desk/people/{ada.pk}/do/", {"do": "disable"})
    page = asked.content.decode()
    assert "Old CMS" in page and "Gone" not in page and "Mine" not in page


def test_nobody_else_gets_there(ada_at_desk: Client, ben: Editor) -> None:
    assert ada_at_desk.get(PEOPLE).status_code == 403
    for path in ("invite/", f"{ben.pk}/", f"{ben.pk}/do/"):
        assert ada_at_desk.post(PEOPLE + path, {"do": "disable", "sure": 1}).status_code == 403
    ben.refresh_from_db()
    assert ben.is_active


def test_changes_to_people_need_a_recent_sign_in(dora_at_desk: Client, ada: Editor) -> None:
    grown_old(dora_at_desk)
    answer = dora_at_desk.post(
        f"{PEOPLE}{ada.pk}/do/",
        {"do": "disable", "sure": "1"},
        headers={"referer": f"http://testserver{PEOPLE}"},
    )
    confirm = answer.headers["Location"]
    assert confirm == "/desk/confirm/?next=%2Fdesk%2Fpeople%2F"
    assert dora_at_desk.post(confirm, {"password": "wrong password"}).status_code == 422
    back = dora_at_desk.post(confirm, {"password": PASSWORD, "next": PEOPLE})
    assert back.headers["Location"] == PEOPLE
    dora_at_desk.post(f"{PEOPLE}{ada.pk}/do/", {"do": "disable", "sure": "1"})
    assert not Editor.objects.get(pk=ada.pk).is_active
    grown_old(dora_at_desk)
    assert "/desk/confirm/" in dora_at_desk.post("/desk/log/export/").headers["Location"]


@pytest.mark.parametrize(
    "path",
    [
        *("people/invite/", "people/1/", "people/1/do/", "log/export/", "came-back/export/1/"),
        *("settings/api-keys/new/", "settings/api-keys/1/revoke/", "settings/webhooks/new/"),
        *("settings/webhooks/1/", "settings/webhooks/1/do/", "settings/delivery/dkim/"),
        *("settings/delivery/relays/new/", "settings/delivery/relays/x/"),
        *("settings/delivery/relays/x/remove/", "settings/sources/new/", "settings/sources/1/"),
        *("settings/sources/1/do/", "settings/arrival/new/", "account/password/"),
        *("account/passkey/", "account/app/", "account/codes/", "account/remove/"),
    ],
)
def test_people_secrets_and_exports_need_a_recent_sign_in(dora: Editor, path: str) -> None:
    client = Client()
    client.force_login(dora)
    grown_old(client)
    assert "/desk/confirm/" in client.post(f"/desk/{path}").headers["Location"]


def test_the_first_alert_from_a_device_needs_a_recent_sign_in(
    story: Story, ada: Editor, cy: Reader
) -> None:
    send = f"/desk/story/{story.uuid}/send/"
    hers = grown_old(signed_in(ada))
    assert "/desk/confirm/" in hers.post(send, {"revision": 1}).headers["Location"]
    assert not Alert.objects.exists()
    hers.post("/desk/confirm/", {"password": PASSWORD})
    hers.post(send, {"revision": 1})
    alert = Alert.objects.get()
    grown_old(hers).post(f"/desk/alert/{alert.uuid}/pause/")
    resumed = hers.post(f"/desk/alert/{alert.uuid}/resume/")
    assert "confirm" not in resumed.headers["Location"], "this device has sent before"

    stolen = Client()  # the session's cookie alone, in another browser
    stolen.cookies[settings.SESSION_COOKIE_NAME] = hers.cookies[settings.SESSION_COOKIE_NAME].value
    assert stolen.get("/desk/").status_code == 200
    answer = stolen.post(f"/desk/alert/{alert.uuid}/resume/")
    assert "/desk/confirm/" in answer.headers["Location"]
    hers.post("/desk/account/sessions/")
    people.end_sessions(ada, ada)
    assert stolen.get("/desk/").status_code == hers.get("/desk/").status_code == 302


def test_an_app_and_recovery_codes(ada: Editor) -> None:
    hers = signed_in(ada)
    page = hers.get("/desk/account/app/").content.decode()
    assert 'src="data:image/svg+xml' in page
    [secret] = re.findall(r"<code>([A-Z2-7 ]+)</code>", page)
    secret = secret.replace(" ", "")
    assert hers.post("/desk/account/app/", {"code": "000000"}).status_code == 422
    codes = hers.post("/desk/account/app/", {"code": code_of(secret)}).content.decode()
    recovery = re.findall(r"<li><code>(\d+)</code>", codes)
    assert len(recovery) == 10
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored and "seed" in stored, "encrypted"

    again = Client()
    answer = again.post(SIGN_IN, {"email": ada.email, "password": PASSWORD, "next": "/desk/log/"})
    assert answer.headers["Location"] == "/desk/sign-in/code/"
    assert again.get("/desk/").status_code == 302, "the password alone opens nothing"
    assert again.post("/desk/sign-in/code/", {"code": "123456"}).status_code == 422
    done = again.post("/desk/sign-in/code/", {"code": code_of(secret, 1)})
    assert done.headers["Location"] == "/desk/log/"
    for code, status in ((recovery[0], 302), (recovery[0], 422), (recovery[1], 302)):
        other = Client()
        other.post(SIGN_IN, {"email": ada.email, "password": PASSWORD})
        assert other.post("/desk/sign-in/code/", {"code": code}).status_code == status
    assert len(second_factors.recovery_codes(ada)) == 8

    [factor] = second_factors.listed(ada)
    hers.post("/desk/account/remove/", {"factor": factor.pk})
    assert not Authenticator.objects.exists()
    signed_in(ada)


def test_a_code_opens_one_door_even_at_another_machine(ada: Editor) -> None:
    """What one process remembers of a code is not what keeps it from being used again."""
    secret = second_factors.new_secret()
    assert second_factors.add_app(ada, secret, code_of(secret))
    cache.clear()
    assert not second_factors.is_code(ada, code_of(secret)), "it has added the app"
    code = code_of(secret, 1)
    assert second_factors.is_code(ada, code)
    cache.clear()
    for written in (code, f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}", f"{code}."):
        assert not second_factors.is_code(ada, written)


def test_a_passkeys_challenge_is_good_once_even_at_another_machine() -> None:
    with request_context(RequestFactory().get("/")):
        state = passkeys.options_to_sign_in()["state"]
    assert passkeys._state(state, "sign in")
    cache.clear()
    with pytest.raises(passkeys.PasskeyRefused):
        passkeys._state(state, "sign in")


def test_codes_are_counted_even_if_the_password_is_known(ada: Editor) -> None:
    secret = second_factors.new_secret()
    second_factors.add_app(ada, secret, code_of(secret))
    statuses = []
    for number in range(10):
        client = Client()
        if client.post(SIGN_IN, {"email": ada.email, "password": PASSWORD}).status_code == 302:
            statuses.append(
                client.post("/desk/sign-in/code/", {"code": f"{number:06}"}).status_code
            )
    assert len(statuses) <= 3, "each try counts, of password and code"


def test_a_second_factor_can_be_demanded_of_who_may_send(
    ada: Editor, ben: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_setting(monkeypatch, second_factor="senders")
    hers, his = signed_in(ada), signed_in(ben)
    assert his.get("/desk/").status_code == 200
    assert hers.get("/desk/").headers["Location"] == "/desk/account/"
    assert "asks for a second factor" in hers.get("/desk/account/").content.decode()
    hers.get("/desk/account/app/")
    session = SessionStore(hers.cookies[settings.SESSION_COOKIE_NAME].value)
    hers.post("/desk/account/app/", {"code": code_of(session["app secret"])})
    assert hers.get("/desk/").status_code == 200


def test_a_link_by_mail_does_not_get_round_the_second_factor(ada: Editor) -> None:
    from morefollows.accounts.actions import invitation_link

    secret = second_factors.new_secret()
    second_factors.add_app(ada, secret, code_of(secret, -1))
    path = invitation_link(ada).removeprefix(settings.MOREFOLLOWS.url)
    client = Client()
    assert "data-passkey" not in client.get(path).content.decode()
    answer = client.post(path, {"password": "the heron waits at low tide"})
    assert answer.headers["Location"] == "/desk/sign-in/code/"
    assert client.get("/desk/").status_code == 302


def test_own_name_language_and_password(ada: Editor) -> None:
    hers, other = signed_in(ada), signed_in(ada)
    hers.post("/desk/account/save/", {"name": "Ada M. Marsh", "language": "de"})
    assert 'lang="de"' in hers.get("/desk/").content.decode()
    assert hers.post("/desk/account/save/", {"name": "a\tb", "language": ""}).status_code == 422
    assert hers.post("/desk/account/password/", {"password": "short"}).status_code == 422
    hers.post("/desk/account/password/", {"password": "the heron waits at low tide"})
    assert (hers.get("/desk/").status_code, other.get("/desk/").status_code) == (200, 302)
    assert hers.get("/.well-known/change-password").headers["Location"] == "/desk/account/"


def test_signing_out_clears_what_the_browser_kept(ada: Editor) -> None:
    hers = signed_in(ada)
    answer = hers.post("/desk/sign-out/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not DeskSession.objects.exists()
    assert hers.cookies[settings.DEVICE_COOKIE_NAME].value


def test_readers_pages_load_no_session(ada: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    hers = signed_in(ada)

    def load(_store: object) -> dict[str, object]:
        raise AssertionError("a reader's page has loaded the session")

    monkeypatch.setattr(SessionStore, "load", load)
    for path in ("/", "/privacy/", "/robots.txt", "/box/breaking/"):
        assert hers.get(path).status_code == 200
    assert hers.get("/").cookies.get(settings.SESSION_COOKIE_NAME) is None

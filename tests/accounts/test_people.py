"""What administrators do with people, at the command line and by action."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.test import Client

from morefollows.accounts import people
from morefollows.accounts.models import DeskSession, Device, Editor
from morefollows.audience.models import Letter
from morefollows.audit.models import AuditEntry
from morefollows.cli.main import cli
from morefollows.courier.outbox import letter_claims, to_editors
from morefollows.courier.outbox.mails import LetterMails
from morefollows.desk.accounts import views
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db
SIGN_IN = "/desk/sign-in/"


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["editors", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def signed_in(editor: Editor) -> Client:
    client = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    client.post(SIGN_IN, {"email": editor.email, "password": PASSWORD})
    assert client.get("/desk/").status_code == 200
    return client


def logged() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("what", flat=True))


def test_the_last_administrator_stays_one(dora: Editor, ada: Editor) -> None:
    for action in (
        lambda: people.disable(dora, dora),
        lambda: people.change_role(dora, "editor", None),
    ):
        with pytest.raises(people.PeopleRefused, match="last administrator"):
            action()
    assert "last administrator" in run("disable", dora.email, code=1)
    people.change_role(ada, "administrator", dora)
    people.disable(dora, ada)
    with pytest.raises(people.PeopleRefused):
        people.change_role(ada, "reporter", ada)
    assert logged() == ["change role", "disable editor"]
    dora.refresh_from_db()
    assert (dora.is_active, dora.disabled_by, dora.role) == (False, ada, "administrator")


def test_accounts_of_programs_are_nobody(dora: Editor) -> None:
    """A key's account counts as no administrator, is in no list, and nobody is let in as it."""
    name = "7f@program.invalid"
    Editor.objects.create(email=name, name="wire", role="administrator", password="!x")
    with pytest.raises(people.PeopleRefused, match="last administrator"):
        people.disable(dora, None)
    assert [row["email"] for row in json.loads(run("list", "--json"))] == [dora.email]
    run("reset", name, code=1)
    to_editors.forgot_password(name)
    assert not Letter.objects.exists()


def test_disabling_ends_every_session_with_its_next_request(
    newsroom: None, ada: Editor, dora: Editor
) -> None:
    laptop, phone = signed_in(ada), signed_in(ada)
    run("disable", ada.email)
    for client in (laptop, phone):
        assert client.get("/desk/").status_code == 302
    assert not DeskSession.objects.filter(editor=ada).exists()
    assert Client().post(SIGN_IN, {"email": ada.email, "password": PASSWORD}).status_code == 422
    run("enable", ada.email)
    signed_in(ada)


def test_sessions_are_listed_and_ended(newsroom: None, ada: Editor, dora: Editor) -> None:
    laptop, phone = signed_in(ada), signed_in(ada)
    [first, second] = json.loads(run("sessions", ada.email, "--json"))
    assert first["device"] == second["device"] == "Firefox, Linux"
    page = laptop.get("/desk/account/").content.decode()
    assert page.count("Firefox, Linux") == 2 and "127.0.0.0/24" in page
    mark = DeskSession.objects.get(
        session_key=phone.cookies[settings.SESSION_COOKIE_NAME].value
    ).mark
    laptop.post("/desk/account/sessions/", {"session": mark})
    assert phone.get("/desk/").status_code == 302
    assert laptop.get("/desk/").status_code == 200
    phone = signed_in(ada)
    laptop.post("/desk/account/sessions/")
    assert phone.get("/desk/").status_code == 302
    assert Device.objects.filter(editor=ada).count() == 1
    run("sessions", ada.email, "--end")
    assert laptop.get("/desk/").status_code == 302
    assert logged().count("end sessions") == 3


def test_resetting_leaves_nothing_but_the_new_link(newsroom: None, ada: Editor) -> None:
    laptop = signed_in(ada)
    link = json.loads(run("reset", ada.email, "--json"))["link"]
    assert laptop.get("/desk/").status_code == 302
    assert Client().post(SIGN_IN, {"email": ada.email, "password": PASSWORD}).status_code == 422
    path = "/desk/first/" + link.partition("/desk/first/")[2]
    assert Client().post(path, {"password": "the heron waits at low tide"}).status_code == 302


def test_rights_by_command(newsroom: None, ada: Editor) -> None:
    run("rights", ada.email, "--offers", "yes", "--readers", "no", "--topics", "weather,politics")
    [row] = json.loads(run("list", "--json"))
    assert (row["offers"], row["drills"], row["readers"]) == (True, True, False)
    assert sorted(row["topics"]) == ["politics", "weather"]
    run("rights", ada.email, "--readers", "role", "--topics", "all")
    [row] = json.loads(run("list", "--json"))
    assert (row["readers"], row["topics"]) == (True, None)
    assert "no topic nowhere" in run("rights", ada.email, "--topics", "nowhere", code=1)
    assert logged() == ["grant rights", "grant rights"]


def mails() -> list[tuple[str, str]]:
    """Address and text of the letters that a sender would hand out now."""
    made = LetterMails()
    found = []
    for job in letter_claims.claim_letters("test", 10):
        text = b"".join(made.mail(job).content).decode()
        found.append((job.address, text))
    return found


def link_in(text: str) -> str:
    plain = text.replace("=\r\n", "")
    return "/desk/first/" + plain.partition("/desk/first/")[2].split()[0].partition('"')[0]


def test_an_invitation_is_mailed_and_good_once(newsroom: None, dora: Editor) -> None:
    run("invite", "Eve@Herald.example", "--role", "editor")
    [(address, text)] = mails()
    assert address == "eve@herald.example" and "invited" in text
    eve = Editor.objects.get(email=address)
    assert (eve.role, eve.has_usable_password(), eve.invited_by) == ("editor", False, None)
    path = link_in(text)
    client = Client()
    assert client.post(path, {"password": PASSWORD}).headers["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200
    assert Client().get(path).status_code == 410
    assert "account with this address" in run("invite", eve.email, code=1)


def test_a_lost_password(newsroom: None, ada: Editor, dora: Editor) -> None:
    client = Client()
    for email in (ada.email, "nobody@herald.example", ada.email):
        answer = client.post("/desk/sign-in/forgotten/", {"email": email})
        assert answer.status_code == 200
    [(address, text)] = mails()
    assert address == ada.email, "one, however often it is asked for"
    new = "the heron waits at low tide"
    assert Client().post(link_in(text), {"password": new}).status_code == 302
    assert Client().post(SIGN_IN, {"email": ada.email, "password": PASSWORD}).status_code == 422
    assert Client().post(SIGN_IN, {"email": ada.email, "password": new}).status_code == 302
    people.disable(ada, dora)
    to_editors.forgot_password(ada.email)
    assert not Letter.objects.filter(state="waiting", worker="").exists()


def test_the_time_of_a_lost_password_does_not_tell_who_works_here(
    newsroom: None, ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    monkeypatch.setattr(views, "answer_not_before", lambda request, moment: told.append(moment))
    for email in (ada.email, "nobody@herald.example", ada.email):
        Client().post("/desk/sign-in/forgotten/", {"email": email})
    assert len(told) == 3


def test_mail_to_an_editor_who_was_disabled_meanwhile_is_not_sent(
    newsroom: None, ada: Editor, dora: Editor
) -> None:
    to_editors.mail_password_link(ada, dora)
    people.disable(ada, dora)
    assert mails() == []
    assert Letter.objects.get().state == "expired"

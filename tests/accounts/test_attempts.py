"""How often one may try to sign in: counted first, decaying, and by device."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from morefollows.accounts import attempts
from morefollows.accounts.models import Editor, FailedSignIns
from morefollows.accounts.sign_in import passwords
from tests.support.people import PASSWORD

HERE = "127.0.0.1"
SIGN_IN = "/desk/sign-in/"


def pass_by(seconds: float) -> None:
    """Time passes, as the counts see it."""
    for row in FailedSignIns.objects.all():
        row.last_at -= timedelta(seconds=seconds)
        row.save()


def sign_in(client: Client, email: str, password: str) -> int:
    return client.post(SIGN_IN, {"email": email, "password": password}).status_code


@pytest.mark.django_db
def test_failed_tries_are_damped_by_account_and_network(ada: Editor, ben: Editor) -> None:
    client = Client()
    for _ in range(5):
        assert sign_in(client, ada.email, "wrong password") == 422
    assert sign_in(client, ada.email, PASSWORD) == 422, "the right one is not looked at any more"
    assert sign_in(Client(), ben.email, PASSWORD) == 302, "somebody else does not wait"
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), ada.email, PASSWORD) == 302, (
        "nor from elsewhere"
    )
    pass_by(31)
    assert sign_in(client, ada.email, PASSWORD) == 302


@pytest.mark.django_db
def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    waits = []
    for _ in range(8):
        if wait := attempts.count_attempt("ada@herald.example", HERE):
            waits.append(wait)
            pass_by(wait)
            assert attempts.count_attempt("ada@herald.example", HERE) == 0
    assert waits == [30, 60, 120]
    FailedSignIns.objects.update(level=49)
    assert attempts.count_attempt("ada@herald.example", HERE) == 900


@pytest.mark.django_db
def test_a_typo_a_day_never_locks_anybody_out(ada: Editor) -> None:
    for _ in range(60):
        assert sign_in(Client(), ada.email, "a typo of mine") == 422
        assert sign_in(Client(), ada.email, PASSWORD) == 302
        pass_by(86_400)
    assert attempts.count_attempt("ben@herald.example", HERE) == 0


@pytest.mark.django_db
def test_one_password_tried_on_many_accounts_is_damped_too() -> None:
    waits = [attempts.count_attempt(f"n{n}@herald.example", "2001:db8::1") for n in range(31)]
    assert waits[:30] == [0] * 30 and waits[30] == 30
    assert attempts.count_attempt("ada@herald.example", "2001:db8::2"), "the /64 counts"
    assert attempts.count_attempt("ada@herald.example", "2001:db8:0:1::1") == 0


@pytest.mark.django_db
def test_strangers_never_lock_out_a_device_that_has_been_in(ada: Editor) -> None:
    hers = Client()
    assert sign_in(hers, ada.email, PASSWORD) == 302
    hers.post("/desk/sign-out/")
    stranger = Client()
    for _ in range(40):
        sign_in(stranger, ada.email, "wrong password")
        sign_in(Client(REMOTE_ADDR=f"192.0.2.{_}"), ada.email, "wrong password")
    assert sign_in(Client(REMOTE_ADDR="198.51.100.7"), ada.email, "wrong password") == 422
    assert sign_in(hers, ada.email, PASSWORD) == 302, "from the stranger's own network"
    forged = Client()
    name = settings.DEVICE_COOKIE_NAME
    forged.cookies[name] = "x" + hers.cookies[name].value
    assert sign_in(forged, ada.email, PASSWORD) == 422


@pytest.mark.django_db
def test_no_address_is_kept_of_failed_tries() -> None:
    attempts.count_attempt("ada@herald.example", "192.0.2.7")
    for row in FailedSignIns.objects.all():
        assert re.fullmatch("[0-9a-f]{64}", row.key)


@pytest.mark.django_db(transaction=True)
def test_of_150_tries_at_once_at_most_five_are_judged(
    ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    real = passwords.is_password_of

    def judge(password: str, editor: Editor | None) -> bool:
        judged.append(password)
        return real(password, editor)

    monkeypatch.setattr(passwords, "is_password_of", judge)
    start = threading.Barrier(16)

    def attempt(number: int) -> int:
        if number < 16:
            start.wait()
        try:
            return sign_in(Client(), ada.email, PASSWORD if number == 149 else "wrong password")
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(attempt, range(150)))
    assert len(judged) <= 5 and 302 not in answers
    assert set(answers) <= {422, 503}


@pytest.mark.django_db
@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"])
def test_hashing_has_a_bounded_queue(ada: Editor) -> None:
    ada.set_password(PASSWORD)
    ada.save()
    taken = 0
    while passwords._room.acquire(blocking=False):
        taken += 1
    try:
        answer = Client().post(SIGN_IN, {"email": ada.email, "password": PASSWORD})
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
    finally:
        for _ in range(taken):
            passwords._room.release()
    assert taken == 8
    assert sign_in(Client(), ada.email, PASSWORD) == 302
    assert FailedSignIns.objects.filter(last_at__lte=timezone.now()).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "weak", ["password1234", "qwertyuiop12", "ada marsh 2026", "aaaaaaaaaaaaaa"]
)
def test_weak_passwords_are_refused(ada: Editor, weak: str) -> None:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        validate_password(weak, ada)
    validate_password(PASSWORD, ada)

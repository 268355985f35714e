"""Mails of letters: what they have in common is looked up once."""

from __future__ import annotations

from typing import Any

import pytest

from morefollows.audience.models import Topic
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.outbox.mails import LetterMails
from tests.audience.support import sign_up

pytestmark = pytest.mark.django_db


def test_a_mail_like_the_one_before_asks_the_database_nothing(
    breaking: Topic, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        sign_up(breaking, f"reader{number}@reader.example")
    mails = LetterMails()
    first, *others = letter_claims.claim_letters("one", 10)
    domain = mails.mail(first).sender.partition(b"@")[2]
    with django_assert_num_queries(0):
        made = [mails.mail(job) for job in others]
    assert len({mail.sender for mail in made}) == 2
    assert all(mail.sender.endswith(b"@" + domain) for mail in made)

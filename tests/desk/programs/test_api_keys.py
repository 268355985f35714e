"""Keys at the desk: made once, shown once, revoked at once, by administrators alone."""

from __future__ import annotations

import re

from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.api.models import ApiKey
from morefollows.audience.models import Topic
from morefollows.audit.models import AuditEntry

PAGE = "/desk/settings/api-keys/"
FORM = {"name": "CMS", "role": "editor", "days": "90", "scopes": ["stories:write", "topics:read"]}


def test_a_key_is_shown_once_works_and_is_revoked(dora_at_desk: Client, breaking: Topic) -> None:
    made = dora_at_desk.post(f"{PAGE}new/", FORM | {"topics": [breaking.pk]})
    text = re.search(r"mf_[\w-]{43}", made.content.decode())
    assert text and "no-store" in made["Cache-Control"]
    key = ApiKey.objects.get()
    assert list(key.account.topics.all()) == [breaking]
    assert key.expires_at and 89 < (key.expires_at - timezone.now()).total_seconds() / 86400 < 91
    assert text[0] not in dora_at_desk.get(PAGE).content.decode()

    program = Client(headers={"authorization": f"Bearer {text[0]}"})
    assert program.get("/api/v1/topics").status_code == 200
    assert program.get("/api/v1/stories").status_code == 403, "another scope"
    page = dora_at_desk.get(PAGE)
    assert [one.last_used_at is not None for one in page.context["keys"]] == [True]
    assert dora_at_desk.post(f"{PAGE}{key.pk}/revoke/").status_code == 302
    assert program.get("/api/v1/topics").status_code == 401
    page = dora_at_desk.get(PAGE)
    assert (page.context["keys"], page.context["ended"]) == ([], [key])
    what = list(AuditEntry.objects.order_by("pk").values_list("what", flat=True))
    assert what == ["make API key", "revoke API key"]
    assert text[0] not in str(list(AuditEntry.objects.values()))


def test_a_key_without_scopes_or_topics_is_refused(dora_at_desk: Client, breaking: Topic) -> None:
    wrong = dora_at_desk.post(f"{PAGE}new/", FORM | {"scopes": []})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"scopes", "topics"}
    wrong = dora_at_desk.post(f"{PAGE}new/", FORM | {"every_topic": "on", "name": "a\x00b"})
    assert set(wrong.context["form"].errors) == {"name"}
    assert not ApiKey.objects.exists()


def test_only_administrators_with_a_recent_sign_in_make_keys(
    ada_at_desk: Client, dora_at_desk: Client, dora: Editor
) -> None:
    assert ada_at_desk.get(PAGE).status_code == 403
    assert ada_at_desk.post(f"{PAGE}new/", FORM).status_code == 403
    session = dora_at_desk.session
    session["authenticated"] = 0.0
    session.save()
    stale = dora_at_desk.post(f"{PAGE}new/", FORM | {"every_topic": "on"})
    assert stale.status_code == 302 and "/desk/confirm/" in stale["Location"]
    assert not ApiKey.objects.exists()

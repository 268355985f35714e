"""Images, people, settings and counts, through the API."""

from __future__ import annotations

import io

from django.conf import settings
from PIL import Image as Pillow

from morefollows.accounts.models import Editor
from morefollows.audience.models import Letter, Reader, Topic
from morefollows.audit.models import AuditEntry
from morefollows.setup.models import StoredSetting
from morefollows.stories.models import Image
from tests.api.support import Program


def picture(width: int = 640) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (width, 480), "navy").save(file, "PNG")
    return file.getvalue()


def test_an_image_is_uploaded_and_placed(breaking: Topic) -> None:
    program = Program()
    address, kind = "/api/v1/images", "image/png"
    made = program.client.post(address, picture(), content_type=kind)
    assert made.status_code == 201
    assert (made.json()["width"], made.json()["height"]) == (640, 480)
    assert program.client.post(address, picture(), content_type=kind).json() == made.json()
    assert Image.objects.get().added_by == program.key.account
    story = program.draft()
    path, body = f"/stories/{story['id']}/images", {"image": made.json()["id"], "alt": "The ferry"}
    placed = program("POST", path, body | {"credit": "Ada"}, if_match='"1"')
    assert (placed.status_code, placed["ETag"]) == (200, '"2"')
    assert placed.json()["text"].startswith("![The ferry](/images/")
    assert program("POST", path, body, if_match='"1"').status_code == 412
    assert program("POST", path, body | {"image": "0" * 32}).status_code == 404
    assert program("POST", path, body | {"alt": ""}).status_code == 422
    assert program.client.post(address, b"no image", content_type=kind).status_code == 409
    assert program.client.post(address, b"x", content_type="text/html").status_code == 415
    refused = Program("stories:read").client.post(address, picture(), content_type=kind)
    assert refused.status_code == 403


def test_people_are_invited_changed_and_disabled(breaking: Topic, ada: Editor) -> None:
    program = Program(role="administrator")
    made = program("POST", "/people", {"email": "eli@herald.example", "role": "reporter"})
    assert (made.status_code, made.json()["active"]) == (201, True)
    assert Letter.objects.get().kind == "invite editor"
    path = f"/people/{ada.pk}"
    changed = program("PATCH", path, {"topics": ["breaking"], "all_topics": False})
    assert changed.json()["topics"] == ["breaking"]
    assert program("PATCH", path, {"active": False}).json()["active"] is False
    listed = [one["email"] for one in program("GET", "/people").json()["items"]]
    assert listed == ["eli@herald.example", "ada@herald.example"], "no program is among them"
    assert program("GET", f"/people/{program.key.account.pk}").status_code == 404
    assert program("POST", f"{path}/end-sessions").status_code == 204
    again = program("POST", "/people", {"email": "eli@herald.example", "role": "reporter"})
    assert again.status_code == 409
    assert Program()("GET", "/people").status_code == 403, "an editor's role"
    assert Program("people:read", role="administrator")("PATCH", path, {}).status_code == 403
    what = AuditEntry.objects.filter(editor=program.key.account).values_list("what", flat=True)
    assert {"invite editor", "grant rights", "disable editor"} <= set(what)


def test_the_last_administrator_stays(dora: Editor) -> None:
    program = Program(role="administrator")
    for change in ({"role": "reporter"}, {"active": False}):
        refused = program("PATCH", f"/people/{dora.pk}", change)
        assert (refused.status_code, refused.json()["type"]) == (409, "/api/v1/docs#state")


def test_settings_are_read_changed_and_unset(newsroom: object) -> None:
    program = Program(role="administrator")
    shown = program("GET", "/settings/hold")
    assert shown.json()["origin"] in ("default", "environment")
    changed = program("PUT", "/settings/hold", {"value": "25"}, if_match=shown["ETag"])
    assert (changed.json()["value"], changed.json()["origin"]) == ("25", "desk")
    late = program("PUT", "/settings/hold", {"value": "30"}, if_match=shown["ETag"])
    assert late.status_code == 412
    wrong = program("PUT", "/settings/hold", {"value": "soon"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (409, "value")
    assert program("DELETE", "/settings/hold").status_code == 204
    assert not StoredSetting.objects.exists()
    assert program("GET", "/settings/secret").status_code == 404
    secrets = [one for one in program("GET", "/settings").json()["items"] if one["secret"]]
    assert secrets and not any(one["value"] for one in secrets)
    assert Program()("GET", "/settings").status_code == 403
    assert AuditEntry.objects.filter(what="change setting").count() == 2


def test_the_audience_is_counted(cy: Reader) -> None:
    found = Program()("GET", "/audience").json()
    assert found["states"]["confirmed"] == 1
    assert found["topics"][0] == {"topic": "breaking", "readers": 1, "by_language": {"en": 1}}
    assert Program(role="reporter")("GET", "/audience").status_code == 403
    assert settings.MOREFOLLOWS.api_import_size > 0

"""The log of who did what: what stands in it stays, and who may read it."""

from __future__ import annotations

import pytest
from django.db import Error as DatabaseError
from django.db import connection, transaction

from morefollows.accounts.models import Editor
from morefollows.bulletin.actions import record
from morefollows.bulletin.models import Deed, Story

pytestmark = pytest.mark.django_db


def test_the_database_itself_lets_nobody_edit_the_log(ada: Editor, dora: Editor, story: Story) -> None:
    record(ada, "send alone", story=story, reason="Night shift")
    deed = Deed.objects.get()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Deed.objects.update(editor=dora)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        deed.delete()
    for sql in (
        "UPDATE bulletin_deed SET details = '{}'",
        "UPDATE bulletin_deed SET at = '2001-01-01T00:00:00+00:00'",
        "DELETE FROM bulletin_deed",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert Deed.objects.get().details == {"reason": "Night shift"}

"""What summaries have told becomes rows with an index, instead of a list in each letter."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_AT_ONCE = 2_000


def copy(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    letters, items = apps.get_model("audience", "Letter"), apps.get_model("courier", "DigestItem")
    rows = letters.objects.filter(bulk=True).exclude(told=[]).values_list("pk", "reader_id", "told")
    some: list[Any] = []
    for letter, reader, told in rows.iterator(chunk_size=_AT_ONCE):
        some += [items(letter_id=letter, reader=reader, alert=alert) for alert in set(told)]
        if len(some) >= _AT_ONCE:
            items.objects.bulk_create(some)
            some.clear()
    items.objects.bulk_create(some)


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0012_uids"),
        ("courier", "0004_several_relays"),
    ]

    operations = [
        migrations.CreateModel(
            name="DigestItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("alert", models.BigIntegerField(help_text="its id")),
                ("reader", models.BigIntegerField(help_text="id of the letter's reader")),
                (
                    "letter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="audience.letter",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("alert", "reader", "letter"), name="digest_items")
                ],
            },
        ),
        migrations.RunPython(copy, migrations.RunPython.noop),
    ]

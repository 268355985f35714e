"""What the desk calls a reader's state. The stored values stay."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("audience", "0013_readers_by_uid"),)

    operations = (
        migrations.AlterField(
            model_name="reader",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "pending"),
                    ("confirmed", "confirmed"),
                    ("unsubscribed", "unsubscribed"),
                    ("hard bounced", "bounced"),
                    ("complained", "complained"),
                ],
                default="pending",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="state",
            field=models.CharField(
                choices=[("pending", "pending"), ("active", "active"), ("ended", "unsubscribed")],
                default="pending",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
                choices=[
                    ("bounced", "bounced"),
                    ("complained", "complained"),
                    ("left elsewhere", "unsubscribed before an import"),
                    ("erased", "erased at the reader's wish"),
                    ("desk", "by the newsroom"),
                ],
                max_length=20,
            ),
        ),
    )

from typing import Any

from django.db import migrations, models


def mark_invited(apps: Any, schema_editor: Any) -> None:
    apps.get_model("audience", "Topic").objects.filter(access="invited").update(private=True)


class Migration(migrations.Migration):

    dependencies = [
        ('audience', '0008_letters_about_items'),
    ]

    operations = [
        migrations.AddField(
            model_name='topic',
            name='private',
            field=models.BooleanField(db_default=False, default=False, help_text='by invitation, also after it was retired: its stories have no public page'),
        ),
        migrations.RunPython(mark_invited, migrations.RunPython.noop),
    ]

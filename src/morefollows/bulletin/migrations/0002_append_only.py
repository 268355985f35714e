from django.db import migrations

from morefollows.append_only import append_only


class Migration(migrations.Migration):
    dependencies = (("bulletin", "0001_initial"),)

    operations = (
        append_only("bulletin_update", once="OLD.published_at IS NOT NULL"),
        append_only("bulletin_deed"),
    )

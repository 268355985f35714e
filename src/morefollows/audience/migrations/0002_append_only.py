from django.db import migrations

from morefollows.append_only import append_only


class Migration(migrations.Migration):
    dependencies = (("audience", "0001_initial"),)

    operations = (
        append_only("audience_wording"),
        append_only("audience_consent", may_change=("client_address",)),  # shortened after some days
    )

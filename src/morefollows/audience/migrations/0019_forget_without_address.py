from typing import Any

from django.db import migrations, models


def forget_confirmed_without_address(apps: Any, schema_editor: Any) -> None:
    """Invitations to drills accepted after housekeeping had forgotten the address: nobody can be mailed there."""
    Reader = apps.get_model("audience", "Reader")
    nobody = Reader.objects.filter(models.Q(address="") | models.Q(domain=""), state="confirmed")
    apps.get_model("audience", "DrillReader").objects.filter(reader__in=nobody).delete()
    apps.get_model("audience", "Subscription").objects.filter(reader__in=nobody).update(state="ended")
    nobody.update(state="pending", confirmed_at=None, offers=False)


class Migration(migrations.Migration):
    dependencies = [("audience", "0018_departures")]

    operations = [migrations.RunPython(forget_confirmed_without_address, migrations.RunPython.noop)]

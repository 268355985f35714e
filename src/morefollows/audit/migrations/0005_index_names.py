from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_unsent'),
        ('stories', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameIndex(
            model_name='auditentry',
            new_name='audit_in_time',
            old_name='deeds_in_time',
        ),
        migrations.RenameIndex(
            model_name='auditentry',
            new_name='audit_by_editor',
            old_name='deeds_by_editor',
        ),
        migrations.RenameIndex(
            model_name='auditentry',
            new_name='audit_by_command',
            old_name='deeds_by_command',
        ),
        migrations.RenameIndex(
            model_name='auditentry',
            new_name='audit_by_name',
            old_name='deeds_by_name',
        ),
        migrations.RenameIndex(
            model_name='auditentry',
            new_name='audit_by_subject',
            old_name='deeds_by_subject',
        ),
    ]

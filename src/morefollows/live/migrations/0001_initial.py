import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('stories', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Ping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('owed', 'Owed'), ('done', 'Done'), ('given up', 'Given Up')], default='owed', max_length=10)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('due_at', models.BigIntegerField(help_text='milliseconds since 1970')),
                ('update', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stories.update')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'owed')), fields=['due_at'], name='pings_owed')],
            },
        ),
    ]

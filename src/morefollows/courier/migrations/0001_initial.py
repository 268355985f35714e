import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audience', '0001_initial'),
        ('stories', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pulse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.BigIntegerField(help_text='milliseconds since 1970')),
            ],
        ),
        migrations.CreateModel(
            name='Relay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='host:port', max_length=300, unique=True)),
                ('paused_at', models.DateTimeField(null=True)),
                ('paused_by', models.CharField(blank=True, help_text="the editor's name; empty: the relay refused us", max_length=200)),
                ('reason', models.CharField(blank=True, help_text="the relay's reply, without addresses", max_length=300)),
                ('trial_at', models.BigIntegerField(help_text='when one mail is tried all the same, ms since 1970', null=True)),
                ('trials', models.PositiveSmallIntegerField(default=0, help_text='made in this pause')),
                ('trouble', models.CharField(blank=True, help_text="why it can't be reached just now", max_length=300)),
                ('trouble_since', models.DateTimeField(null=True)),
                ('secured_as', models.CharField(blank=True, help_text='host:port that has agreed to STARTTLS', max_length=300)),
                ('secured_at', models.DateTimeField(help_text='when it did so first', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Restores',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('held', models.BooleanField(default=False)),
                ('seen_at', models.BigIntegerField(default=0, help_text='what a sender had last seen, ms since 1970')),
                ('found_at', models.BigIntegerField(default=0, help_text='and found, ms since 1970; 0: nothing')),
                ('count', models.PositiveIntegerField(default=0, help_text='how often somebody went on with an older database')),
                ('seen_count', models.PositiveIntegerField(default=0, help_text='the highest of it that a sender has seen')),
            ],
        ),
        migrations.CreateModel(
            name='StateNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('writer', models.CharField(max_length=40, unique=True)),
                ('number', models.BigIntegerField()),
                ('at', models.BigIntegerField(help_text='milliseconds since 1970')),
            ],
        ),
        migrations.CreateModel(
            name='RelayAtWork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relay', models.CharField(help_text='its name', max_length=300)),
                ('worker', models.CharField(max_length=40)),
                ('circuit', models.CharField(help_text='closed | open | half-open: see boundary.Relay.circuit', max_length=9)),
                ('connections', models.PositiveIntegerField(help_text='open ones that take mail')),
                ('in_flight', models.PositiveIntegerField(help_text='mails that it has not answered yet')),
                ('rate', models.FloatField(help_text='mails accepted a second, since the last time')),
                ('paced', models.JSONField(default=list, help_text='mailbox providers held back: [[provider, mails a second], …]')),
                ('seen_at', models.BigIntegerField(help_text='milliseconds since 1970')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('relay', 'worker'), name='one_relay_at_work')],
            },
        ),
        migrations.CreateModel(
            name='RelayCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relay', models.CharField(help_text='its name', max_length=300)),
                ('day', models.DateField(help_text='UTC')),
                ('provider', models.CharField(max_length=255)),
                ('accepted', models.PositiveIntegerField(default=0)),
                ('deferred', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('text', models.CharField(blank=True, help_text='its last words of deferral or refusal, no addresses', max_length=300)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('relay', 'day', 'provider'), name='one_relay_count')],
            },
        ),
        migrations.CreateModel(
            name='SenderProcess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='what its claims bear', max_length=40, unique=True)),
                ('node', models.CharField(help_text='id of its data folder', max_length=32)),
                ('number', models.PositiveSmallIntegerField(help_text="which of its node's senders")),
                ('place', models.CharField(help_text='see nodes.place', max_length=32)),
                ('pid', models.CharField(help_text='PID namespace and process id', max_length=40)),
                ('host', models.CharField(max_length=255)),
                ('started_at', models.BigIntegerField(help_text="ms since 1970, by the database's clock, as is")),
                ('seen_at', models.BigIntegerField(help_text='its last heartbeat')),
                ('skew_ms', models.BigIntegerField(db_default=0, default=0, help_text="its clock less the database's")),
                ('waiting_since', models.BigIntegerField(help_text='when the call that it waits for began; empty: none', null=True)),
                ('waiting_for', models.CharField(blank=True, help_text='what holds that call up, as far as known', max_length=300)),
            ],
            options={
                'indexes': [models.Index(fields=['place', 'number'], name='senders_of_place')],
            },
        ),
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('size', models.PositiveIntegerField()),
                ('readers', models.BinaryField(help_text='reader ids, 8 bytes each, little-endian, ascending')),
                ('first', models.BigIntegerField(help_text='the lowest of them')),
                ('last', models.BigIntegerField(help_text='the highest of them')),
                ('outcomes', models.BinaryField(help_text='one byte a reader: Outcome')),
                ('times', models.BinaryField(help_text="4 bytes a reader, little-endian: milliseconds from hold's end to acceptance")),
                ('epoch', models.PositiveIntegerField(default=0)),
                ('reach', models.PositiveIntegerField(default=0)),
                ('worker', models.CharField(blank=True, default='', max_length=40)),
                ('due_at', models.BigIntegerField(help_text="when a worker may claim it, ms since 1970: while claimed, the claim's end; empty: all final", null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='passes made')),
                ('accepted', models.PositiveIntegerField(default=0)),
                ('deferred', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('skipped', models.PositiveIntegerField(default=0)),
                ('uncertain', models.PositiveIntegerField(default=0)),
                ('expired', models.PositiveIntegerField(default=0)),
                ('repeated', models.PositiveIntegerField(default=0, help_text='sent again because the first time was uncertain')),
                ('changed_at', models.BigIntegerField(default=0, help_text='milliseconds since 1970')),
                ('packed', models.BooleanField(db_default=False, default=False, help_text='the alert has ended long ago: readers and outcomes are as `packing` has them, times are gone')),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='stories.alert')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['alert', 'due_at'], name='batches_due'), models.Index(fields=['alert', 'changed_at'], name='batches_changed'), models.Index(fields=['alert', 'last'], name='batches_readers')],
                'constraints': [models.UniqueConstraint(fields=('alert', 'number'), name='batch_number')],
            },
        ),
        migrations.CreateModel(
            name='Brake',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('relay', 'relay'), ('provider', 'mailbox provider')], max_length=8)),
                ('name', models.CharField(max_length=300)),
                ('answered', models.PositiveIntegerField(db_default=0, default=0)),
                ('refused', models.PositiveIntegerField(db_default=0, default=0)),
                ('on_since', models.BigIntegerField(help_text='ms since 1970; empty: refusals are final', null=True)),
                ('alert', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='brakes', to='stories.alert')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('on_since__isnull', False)), fields=['on_since'], name='brakes_on')],
                'constraints': [models.UniqueConstraint(fields=('alert', 'scope', 'name'), name='one_brake')],
            },
        ),
        migrations.CreateModel(
            name='Composition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=10)),
                ('parts', models.BinaryField(help_text='see compose.Composed.to_bytes')),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='compositions', to='stories.alert')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('alert', 'language'), name='one_composition')],
            },
        ),
        migrations.CreateModel(
            name='DigestItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('alert', models.BigIntegerField(help_text='its id')),
                ('reader', models.BigIntegerField(help_text="id of the letter's reader")),
                ('letter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='audience.letter')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('alert', 'reader', 'letter'), name='digest_items')],
            },
        ),
        migrations.CreateModel(
            name='Refusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('batch', models.BigIntegerField()),
                ('place', models.PositiveIntegerField(help_text='in the batch')),
                ('reader', models.BigIntegerField()),
                ('domain', models.CharField(max_length=255)),
                ('provider', models.CharField(help_text='the mailbox provider, as far as it was known', max_length=255)),
                ('relay', models.CharField(help_text='its name', max_length=300)),
                ('bounce', models.CharField(blank=True, help_text='hard | perhaps; empty: not a bounce', max_length=8)),
                ('code', models.PositiveSmallIntegerField()),
                ('status', models.CharField(blank=True, max_length=12)),
                ('at', models.BigIntegerField(help_text='milliseconds since 1970')),
                ('alert', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='stories.alert')),
            ],
            options={
                'indexes': [models.Index(fields=['alert', 'reader'], name='refusals_of_alert')],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=255)),
                ('outcome', models.PositiveSmallIntegerField(choices=[(0, 'waiting'), (1, 'accepted'), (2, 'deferred'), (3, 'refused'), (4, 'skipped'), (5, 'uncertain'), (6, 'expired'), (7, 'told in a digest')])),
                ('code', models.PositiveSmallIntegerField(help_text='SMTP reply code; 0: no reply')),
                ('status', models.CharField(help_text='enhanced status code (RFC 3463), or empty', max_length=12)),
                ('text', models.CharField(help_text="the relay's first words to that effect, without addresses", max_length=200)),
                ('count', models.PositiveIntegerField(default=0)),
                ('alert', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='stories.alert')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('alert', 'domain', 'outcome', 'code', 'status'), name='one_verdict')],
            },
        ),
    ]

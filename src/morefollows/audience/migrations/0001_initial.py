import django.db.models.deletion
import morefollows.database.uid_field
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Bounce',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_at', models.DateTimeField()),
                ('counted_at', models.DateTimeField(help_text='of the last one that counted: the next counts days later')),
                ('last_at', models.DateTimeField(db_index=True)),
                ('count', models.PositiveSmallIntegerField()),
                ('status', models.CharField(help_text='enhanced status code of the last one, or its reply code', max_length=12)),
                ('relay', models.CharField(help_text='name of the relay that said so', max_length=300)),
                ('provider', models.CharField(help_text='the mailbox provider', max_length=255)),
            ],
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('alerts', 'alerts'), ('offers', 'offers')], max_length=10)),
                ('event', models.CharField(choices=[('given', 'given'), ('confirmed', 'confirmed'), ('withdrawn', 'withdrawn')], max_length=10)),
                ('how', models.CharField(choices=[('form', 'sign-up form'), ('link', 'button behind a mailed link'), ('one-click', 'one-click unsubscribe (RFC 8058)'), ('import', 'import'), ('desk', 'at the desk'), ('command', 'command line'), ('restored', 'done again after a backup was restored')], max_length=12)),
                ('at', models.DateTimeField()),
                ('words', models.TextField(blank=True, help_text='the exact words shown, or the provenance of an import')),
                ('version', models.PositiveIntegerField(help_text='version of those words', null=True)),
                ('privacy_version', models.PositiveIntegerField(help_text='version of the privacy notice then in force', null=True)),
                ('language', models.CharField(blank=True, max_length=10)),
                ('page', models.CharField(blank=True, help_text='where the form stood; never with a query', max_length=500)),
                ('form_version', models.CharField(blank=True, max_length=20)),
                ('client_address', models.CharField(blank=True, max_length=45)),
            ],
        ),
        migrations.CreateModel(
            name='DepartureMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('log', models.CharField(help_text='see departures.log.name_of', max_length=40, unique=True)),
                ('at', models.BigIntegerField(help_text='milliseconds since 1970')),
            ],
        ),
        migrations.CreateModel(
            name='ErasedReader',
            fields=[
                ('number', models.BigIntegerField(help_text='the key that the reader had', primary_key=True, serialize=False)),
                ('uid', morefollows.database.uid_field.UidField()),
            ],
        ),
        migrations.CreateModel(
            name='Reader',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(help_text='as typed; the domain in A-labels on the wire only', max_length=320)),
                ('key', models.CharField(help_text='keyed hash of the normalised address: finds duplicates', max_length=64, unique=True)),
                ('domain', models.CharField(help_text='A-labels, lower case', max_length=255)),
                ('language', models.CharField(default='en', max_length=10)),
                ('uid', morefollows.database.uid_field.UidField(help_text='what links and Message-IDs prove the reader by')),
                ('state', models.CharField(choices=[('pending', 'pending'), ('confirmed', 'confirmed'), ('left', 'left'), ('gone', 'gone'), ('complained', 'complained')], default='pending', max_length=12)),
                ('created_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('offers', models.BooleanField(default=False, help_text='a confirmed consent to offers is in force')),
                ('particular', models.BooleanField(default=False)),
                ('frequency', models.CharField(choices=[('every', 'every alert'), ('first', 'the first alert of each story'), ('digest', 'one digest a day')], default='every', max_length=6)),
                ('quiet_from', models.PositiveSmallIntegerField(help_text='minutes after midnight; empty: no quiet hours', null=True)),
                ('quiet_to', models.PositiveSmallIntegerField(help_text='minutes after midnight', null=True)),
                ('time_zone', models.CharField(blank=True, help_text="of the quiet hours; empty: the newsroom's", max_length=60)),
                ('flash_passes', models.BooleanField(default=False, help_text='a flash may come in quiet hours')),
                ('most_a_day', models.PositiveSmallIntegerField(help_text='alerts in 24 hours; empty: no limit', null=True)),
                ('paused_until', models.DateTimeField(null=True)),
                ('summary_from', models.BigIntegerField(help_text='it tells what came since, ms since 1970; empty: none', null=True)),
                ('summary_at', models.BigIntegerField(help_text='when it is due next, ms since 1970', null=True)),
                ('links_version', models.PositiveIntegerField(default=0, help_text='raised by a change of address: links to the preference page mailed before stop working')),
            ],
        ),
        migrations.CreateModel(
            name='KeyCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='see keyring.Keyring.checks', max_length=40, unique=True)),
                ('value', models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('confirmation', 'confirmation'), ('thanks', 'thanks'), ('new address', 'confirmation of a new address'), ('moved', 'word to the old address'), ('digest', 'digest'), ('away', 'while you were away'), ('invitation', 'invitation to drills')], max_length=14)),
                ('bulk', models.BooleanField(default=False, help_text='goes after every alert')),
                ('address', models.CharField(blank=True, help_text="where it goes, if not to the reader's own", max_length=320)),
                ('domain', models.CharField(blank=True, max_length=255)),
                ('since', models.BigIntegerField(help_text='a summary tells what came from then on, ms since 1970,', null=True)),
                ('until', models.BigIntegerField(help_text='and before then', null=True)),
                ('uid', morefollows.database.uid_field.UidField(help_text='what links and the Message-ID prove the letter by')),
                ('offers', models.BooleanField(default=False, help_text='the link also confirms the consent to offers')),
                ('created_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('accepted', 'accepted'), ('refused', 'refused'), ('expired', 'expired'), ('uncertain', 'uncertain')], default='waiting', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.BigIntegerField(help_text='milliseconds since 1970')),
                ('unanswered', models.PositiveSmallIntegerField(db_default=0, default=0, help_text='times that it was handed to a relay that gave no reply')),
                ('worker', models.CharField(blank=True, default='', help_text='the sender process that has claimed it', max_length=40)),
                ('lease_version', models.PositiveIntegerField(db_default=0, default=0, help_text='raised by each claim')),
            ],
        ),
        migrations.CreateModel(
            name='Newsroom',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('sender_name', models.CharField(max_length=100, verbose_name="sender's name")),
                ('sender_address', models.EmailField(max_length=254, verbose_name="sender's address")),
                ('postal_address', models.CharField(max_length=300, verbose_name='postal address')),
                ('time_zone', models.CharField(default='Europe/London', max_length=60, verbose_name='time zone')),
                ('language', models.CharField(default='en', max_length=10, verbose_name='language')),
            ],
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.BigIntegerField(help_text='from 1, without gaps', primary_key=True, serialize=False)),
                ('table', models.CharField(max_length=40)),
                ('last', models.BigIntegerField(help_text='the highest number of the rows that it covers')),
                ('count', models.PositiveIntegerField(help_text='of these rows')),
                ('format', models.PositiveSmallIntegerField(help_text='which fields of a row are hashed: see `seals.Evidence`')),
                ('leaves', models.BinaryField(help_text='see `seals.Leaves`')),
                ('previous', models.CharField(help_text='hash of the link before; empty in the first', max_length=64)),
                ('hash', models.CharField(help_text='SHA-256, in hexadecimal, of all of the above', max_length=64)),
                ('mac', models.CharField(help_text='of the hash, by a key that is not in the database', max_length=64)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='SealMark',
            fields=[
                ('table', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('last', models.BigIntegerField(help_text='the highest number of a row then')),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Site',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(help_text='as browsers send it: scheme, host in A-labels, port unless it is usual', max_length=261, unique=True)),
                ('added_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('origin',),
            },
        ),
        migrations.CreateModel(
            name='SpentWork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('challenge', models.CharField(help_text='SHA-256, in hexadecimal', max_length=64, unique=True)),
                ('expires_at', models.DateTimeField(db_index=True, help_text='when nobody would take it any more')),
            ],
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'pending'), ('active', 'active'), ('ended', 'ended')], default='pending', max_length=8)),
                ('since', models.DateTimeField(help_text='when the state began')),
            ],
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, unique=True)),
                ('reason', models.CharField(choices=[('bounced', 'the mailbox is gone'), ('complained', 'complained'), ('left elsewhere', 'unsubscribed before an import'), ('erased', "erased at the reader's wish"), ('desk', 'by the newsroom')], max_length=20)),
                ('at', models.DateTimeField()),
                ('domain', models.CharField(blank=True, default='', help_text='of a bounced address, if known', max_length=255)),
                ('from_list', models.BooleanField(db_default=False, default=False, help_text='brought along, not found out here')),
            ],
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='keyed hash of the network or the domain', max_length=64, unique=True)),
                ('since', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Topic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True)),
                ('name', models.CharField(max_length=100)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('uid', morefollows.database.uid_field.UidField(help_text='what links prove the topic by')),
            ],
            options={
                'ordering': ('position', 'name'),
            },
        ),
        migrations.CreateModel(
            name='UnfinishedImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='SHA-256 of the file and of how it is imported', max_length=64, unique=True)),
                ('line', models.PositiveBigIntegerField(help_text='lines read so far')),
                ('position', models.PositiveBigIntegerField(help_text='bytes read so far')),
                ('counts', models.JSONField(help_text='what became of those lines')),
                ('changed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Wording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('alerts', 'consent to alerts'), ('offers', 'consent to offers'), ('privacy', 'privacy notice')], max_length=20)),
                ('language', models.CharField(max_length=10)),
                ('version', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('digest', models.CharField(help_text='SHA-256 of the text, in hexadecimal', max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='DrillReader',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added_at', models.DateTimeField(help_text='when the invitation was last owed')),
                ('confirmed_at', models.DateTimeField(help_text='empty: asked, and nothing is mailed but the invitation', null=True)),
                ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('reader', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='audience.reader')),
            ],
        ),
        migrations.AddIndex(
            model_name='reader',
            index=models.Index(fields=['state'], name='reader_state'),
        ),
        migrations.AddIndex(
            model_name='reader',
            index=models.Index(condition=models.Q(('offers', True)), fields=['id'], name='readers_of_offers'),
        ),
        migrations.AddIndex(
            model_name='reader',
            index=models.Index(condition=models.Q(('particular', True)), fields=['id'], name='particular_readers'),
        ),
        migrations.AddIndex(
            model_name='reader',
            index=models.Index(condition=models.Q(('summary_at__isnull', False)), fields=['summary_at', 'id'], name='summaries_due'),
        ),
        migrations.AddConstraint(
            model_name='reader',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'confirmed'), _negated=True), models.Q(('address', ''), ('domain', ''), _connector='OR', _negated=True), _connector='OR'), name='confirmed_reader_has_an_address'),
        ),
        migrations.AddField(
            model_name='drillreader',
            name='reader',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='drill', to='audience.reader'),
        ),
        migrations.AddField(
            model_name='consent',
            name='reader',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='audience.reader'),
        ),
        migrations.AddField(
            model_name='bounce',
            name='reader',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='bounce', to='audience.reader'),
        ),
        migrations.AddField(
            model_name='letter',
            name='reader',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='audience.reader'),
        ),
        migrations.AddIndex(
            model_name='seal',
            index=models.Index(fields=['table', 'last'], name='seals_by_table'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='reader',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to='audience.reader'),
        ),
        migrations.AddIndex(
            model_name='suppression',
            index=models.Index(fields=['reason', 'at', 'id'], name='suppressions_by_time'),
        ),
        migrations.AddIndex(
            model_name='tally',
            index=models.Index(fields=['since'], name='tallies_by_age'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='topic',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='audience.topic'),
        ),
        migrations.AddField(
            model_name='letter',
            name='topic',
            field=models.ForeignKey(help_text='of a confirmation, or of thanks', null=True, on_delete=django.db.models.deletion.PROTECT, to='audience.topic'),
        ),
        migrations.AddField(
            model_name='consent',
            name='topic',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='audience.topic'),
        ),
        migrations.AddConstraint(
            model_name='wording',
            constraint=models.UniqueConstraint(fields=('kind', 'language', 'version'), name='wording_version'),
        ),
        migrations.AddIndex(
            model_name='subscription',
            index=models.Index(fields=['topic', 'state', 'reader'], name='topic_readers'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.UniqueConstraint(fields=('topic', 'reader'), name='one_subscription'),
        ),
        migrations.AddIndex(
            model_name='letter',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['bulk', 'due_at', 'id'], name='letters_due'),
        ),
        migrations.AddIndex(
            model_name='letter',
            index=models.Index(condition=models.Q(('address', ''), _negated=True), fields=['created_at'], name='letters_elsewhere'),
        ),
        migrations.AddIndex(
            model_name='letter',
            index=models.Index(condition=models.Q(('worker', ''), _negated=True), fields=['worker'], name='letters_claimed'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['reader', 'at'], name='consent_history'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('event', 'withdrawn')), fields=['at'], name='consents_withdrawn'),
        ),
    ]

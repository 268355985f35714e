import django.db.models.deletion
import django.utils.timezone
import morefollows.database.uid_field
import morefollows.stories.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audience', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Story',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('state', models.CharField(choices=[('draft', 'draft'), ('live', 'live'), ('developing', 'developing'), ('final', 'final'), ('withdrawn', 'withdrawn')], default='draft', max_length=10)),
                ('headline', models.CharField(max_length=150, verbose_name='headline')),
                ('standfirst', models.CharField(blank=True, max_length=300, verbose_name='standfirst')),
                ('text', models.TextField(blank=True, help_text='the draft of the next update, in Markdown', max_length=50000, verbose_name='text')),
                ('kind', models.CharField(choices=[('first', 'first'), ('update', 'update'), ('correction', 'correction'), ('withdrawal', 'withdrawal'), ('final', 'final')], default='first', help_text='of the draft', max_length=10)),
                ('note', models.CharField(blank=True, help_text='of the draft; see Update.note', max_length=300)),
                ('answers', models.JSONField(default=list, help_text='of the draft; see Update.answers')),
                ('language', models.CharField(choices=[('en', 'English'), ('de', 'German')], default='en', max_length=10, verbose_name='language')),
                ('purpose', models.CharField(choices=[('alerts', 'alerts'), ('offers', 'offers')], default='alerts', max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('revision', models.PositiveIntegerField(default=1, help_text='raised by each save: no silent overwriting')),
                ('sent_revision', models.PositiveIntegerField(default=0, help_text='of the last update; the draft began after it')),
                ('approved_at', models.DateTimeField(null=True)),
                ('embargo_until', models.DateTimeField(help_text='nothing of it is told anywhere before', null=True)),
                ('drill', models.BooleanField(default=False, help_text="goes to the drill's readers, and to nobody else")),
                ('approved_by', models.ForeignKey(help_text='of the draft as it stands', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('topic', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='stories', to='audience.topic', verbose_name='topic')),
            ],
            options={
                'verbose_name_plural': 'stories',
                'ordering': ('-changed_at',),
            },
        ),
        migrations.CreateModel(
            name='Presence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('writing_since', models.DateTimeField(help_text='the first key since the page was opened; empty: reads', null=True)),
                ('editor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('story', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='present', to='stories.story')),
            ],
        ),
        migrations.CreateModel(
            name='Interest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wish', models.CharField(choices=[('follow', 'follow'), ('mute', 'mute')], max_length=6)),
                ('at', models.DateTimeField()),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='interests', to='audience.reader')),
                ('story', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='interests', to='stories.story')),
            ],
        ),
        migrations.CreateModel(
            name='Update',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='from 1; empty when it was taken back in the hold', null=True)),
                ('kind', models.CharField(choices=[('first', 'first'), ('update', 'update'), ('correction', 'correction'), ('withdrawal', 'withdrawal'), ('final', 'final')], default='first', max_length=10)),
                ('headline', models.CharField(max_length=150)),
                ('standfirst', models.CharField(blank=True, max_length=300)),
                ('text', models.TextField()),
                ('note', models.CharField(blank=True, help_text='a correction: what was wrong; a withdrawal: the reason', max_length=300)),
                ('answers', models.JSONField(default=list, help_text='numbers of the updates that it puts right or takes back')),
                ('language', models.CharField(max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('published_at', models.DateTimeField(null=True)),
                ('uid', morefollows.database.uid_field.UidField(help_text='what feeds and event streams tell the update by')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('story', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='updates', to='stories.story')),
            ],
            options={
                'ordering': ('story', 'number'),
            },
        ),
        migrations.CreateModel(
            name='Image',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='keyed hash of the picture; see `images.address`', max_length=32, unique=True)),
                ('width', models.PositiveIntegerField(help_text='pixels of the widest that is kept')),
                ('height', models.PositiveIntegerField()),
                ('extension', models.CharField(max_length=4)),
                ('size', models.PositiveIntegerField(help_text='octets of the widest')),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now, help_text='the last time, if it was added again')),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('updates', models.ManyToManyField(help_text='that show it: it is kept as they are', related_name='images', to='stories.update')),
            ],
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('audience', models.CharField(choices=[('topic', 'the topic’s readers'), ('followers', 'the story’s followers'), ('recipients', 'who was sent an earlier alert'), ('drill', 'the drill’s readers'), ('offers', 'the readers of offers'), ('page', 'nobody: the story’s page only')], default='topic', max_length=10)),
                ('answers', models.JSONField(default=list, help_text='ids of the alerts that it answers: who was sent one of them is the audience')),
                ('lane', models.CharField(choices=[('alert', 'alert'), ('bulk', 'bulk')], default='alert', max_length=5)),
                ('flash', models.BooleanField(default=False, help_text="may pass a reader's quiet hours if the reader allows it")),
                ('state', models.CharField(choices=[('held', 'held'), ('sending', 'sending'), ('paused', 'paused'), ('asking', 'needs an answer'), ('sent', 'sent'), ('taken back', 'taken back'), ('stopped', 'stopped'), ('overtaken', 'overtaken'), ('expired', 'expired')], default='held', max_length=10)),
                ('frozen_at', models.DateTimeField(help_text="t0, the editor's Send: readers active by then are the audience")),
                ('held_until', models.BigIntegerField(help_text='end of the hold, milliseconds since 1970: zero of the curve')),
                ('not_before', models.BigIntegerField(help_text="chosen by an editor, or the embargo's end: not released earlier; ms since 1970", null=True)),
                ('expires_at', models.BigIntegerField(help_text='milliseconds since 1970')),
                ('time_to_live_ms', models.BigIntegerField(db_default=0, default=0, help_text="from the hold's end, as it was when it was sent: a retry gets as much again")),
                ('repeat', models.BooleanField(default=morefollows.stories.models.repeats_uncertain, help_text='mails whose outcome is uncertain are sent again; else an editor decides')),
                ('ended_at', models.DateTimeField(null=True)),
                ('cut_from', models.BigIntegerField(default=0)),
                ('cut_to', models.BigIntegerField(help_text='last reader id cut; empty before the first batch', null=True)),
                ('cut_wrapped', models.BooleanField(default=False)),
                ('cut_done', models.BooleanField(default=False)),
                ('curve', models.JSONField(help_text="the finished alert's curve; see delivery.curve", null=True)),
                ('idempotency_key', models.CharField(help_text="a program's: sent once with it, however often it is told", max_length=200, null=True, unique=True)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sent_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('topic', models.ForeignKey(help_text="whose readers' consent it needs; an offer needs that to offers", null=True, on_delete=django.db.models.deletion.PROTECT, to='audience.topic')),
                ('update', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='stories.update')),
            ],
            options={
                'ordering': ('-frozen_at',),
            },
        ),
        migrations.AddIndex(
            model_name='story',
            index=models.Index(fields=['purpose', 'changed_at'], name='stories_by_change'),
        ),
        migrations.AddConstraint(
            model_name='story',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'offers'), ('topic', None)), models.Q(('purpose', 'alerts'), ('topic__isnull', False)), _connector='OR'), name='only_an_offer_has_no_topic'),
        ),
        migrations.AddConstraint(
            model_name='presence',
            constraint=models.UniqueConstraint(fields=('story', 'editor'), name='one_presence'),
        ),
        migrations.AddIndex(
            model_name='interest',
            index=models.Index(fields=['story', 'wish', 'reader'], name='story_followers'),
        ),
        migrations.AddConstraint(
            model_name='interest',
            constraint=models.UniqueConstraint(fields=('story', 'reader'), name='one_interest'),
        ),
        migrations.AddIndex(
            model_name='update',
            index=models.Index(condition=models.Q(('published_at__isnull', False)), fields=['published_at', 'story'], name='updates_published'),
        ),
        migrations.AddConstraint(
            model_name='update',
            constraint=models.UniqueConstraint(fields=('story', 'number'), name='update_number'),
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(condition=models.Q(('state__in', ('held', 'sending'))), fields=['state'], name='alerts_running'),
        ),
    ]

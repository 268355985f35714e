"""The subjects of a story's mails, from the first alert to a correction or a withdrawal."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Min
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

from morefollows.courier.message.content import Author
from morefollows.helpers.local_time import zone
from morefollows.stories.first_headline import first_headline
from morefollows.stories.models import Alert, Story, Update, UpdateKind


def subject_of(update: Update) -> str:
    """Returns the subject.

    That of an update is the thread's, or its own headline. A correction's begins with
    "Correction:". A withdrawal's names the alert by its time, so that it does not say the false
    headline again. References keep all of them in one thread.
    """
    story = update.story
    with translation.override(update.language):
        marked = gettext("DRILL: %(headline)s")
        headline = update.headline
        if story.drill:
            headline = _without_mark(headline, marked)
        match update.kind:
            case UpdateKind.FIRST:
                words = headline
            case UpdateKind.CORRECTION:
                words = gettext("Correction: %(headline)s") % {"headline": headline}
            case UpdateKind.WITHDRAWAL:
                words = gettext("Withdrawn: our alert of %(time)s") % {"time": _sent_at(story)}
            case _:
                words = headline if update.own_subject else thread_subject(story)
        return marked % {"headline": _without_mark(words, marked)} if story.drill else words


def _without_mark(headline: str, marked: str) -> str:
    """A drill's headline without the word that the subject puts before it.

    `marked`: the translated subject, with a place for the headline.
    """
    mark = (marked % {"headline": ""}).strip()
    if headline[: len(mark)].casefold() != mark.casefold():
        return headline
    return headline[len(mark) :].strip() or headline


def _sent_at(story: Story) -> str:
    """When the story's first alert was sent, in the newsroom's time zone."""
    at = _first_sent_at(story).astimezone(zone(Author.get().newsroom.time_zone))
    # Translators: a date and time in Django's format letters, such as "28 November, 20:14"
    return date_format(at, pgettext("date and time without the year", "j F, H:i"))


def thread_subject(story: Story) -> str:
    """The subject of the story's thread: its first headline, or that of its last correction."""
    corrections = Update.objects.filter(
        story=story, kind=UpdateKind.CORRECTION, published_at__isnull=False
    )
    last = corrections.order_by("-number").values_list("headline", flat=True).first()
    return last or first_headline(story)


def _first_sent_at(story: Story) -> datetime:
    """When the story's first alert was sent; when it was published, if nothing was mailed."""
    updates = Update.objects.filter(story=story, published_at__isnull=False)
    mailed = Alert.objects.filter(update__in=updates).exclude(audience=Alert.Audience.PAGE)
    first = mailed.exclude(state=Alert.State.TAKEN_BACK).aggregate(at=Min("held_until_ms"))["at"]
    if first is not None:
        return datetime.fromtimestamp(first / 1000, UTC)
    return updates.aggregate(at=Min("published_at"))["at"] or timezone.now()

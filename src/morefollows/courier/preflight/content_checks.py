"""Checklist items that need no network: the mail itself, the story and its readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser

from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from morefollows.courier.message.content import opening, without_markdown
from morefollows.courier.message.preview import HTML_BUDGET, Preview
from morefollows.courier.preflight import LOOK, OK, WRONG, Item, in_order
from morefollows.stories.alerts import alert_audience
from morefollows.stories.drafts.similar_alerts import resemblance
from morefollows.stories.models import Alert, Story, UpdateKind

SUBJECT = 70  #: characters that phones show of a subject, at most
CUT_OFF = 102 * 1024  #: octets of HTML from which on Gmail cuts a mail off
SAME_WORDS = 0.7  #: from this resemblance on a preheader says the headline again
SOON = timedelta(minutes=30)  #: less than this after another alert, one is worth a thought
MANY = 0.1  #: of the readers don't get it now: worth a thought


def items(
    story: Story, preview: Preview, to: str, readers: int, at: datetime | None = None
) -> list[Item]:
    """`to`: the audience (`Alert.Audience`) that it would go to, of so many `readers`.

    `at`: when it leaves; None: now.
    """
    return in_order([item for item in _all(story, preview, to, readers, at) if item is not None])


def _all(
    story: Story, preview: Preview, to: str, readers: int, at: datetime | None
) -> Iterator[Item | None]:
    yield _subject(story, preview)
    yield _preheader(story, preview)
    yield _size(preview)
    yield _pictures(preview)
    yield _last_alert(story, at)
    yield _terms(story, to, readers, at)


def _subject(story: Story, preview: Preview) -> Item:
    name, length = _("Length of the subject"), len(preview.subject)
    words = ngettext("%(length)s character", "%(length)s characters", length) % {"length": length}
    if length <= SUBJECT:
        return Item(name, OK, words)
    remedy = _("Phones cut it off after about %(most)s: what matters belongs before that.") % {
        "most": SUBJECT
    }
    if story.kind != UpdateKind.FIRST:
        remedy = _(
            "Phones cut it off after about %(most)s. All mails of a story have its first subject."
        ) % {"most": SUBJECT}
    return Item(name, LOOK, words, remedy)


def _preheader(story: Story, preview: Preview) -> Item:
    name = _("Preheader")
    words = without_markdown(story.standfirst) or opening(story.text)
    if not words:
        remedy = _("Write a standfirst: inboxes show it beside the subject.")
        return Item(name, LOOK, _("There is none."), remedy)
    if resemblance(preview.subject, "", words, "") >= SAME_WORDS:
        remedy = _(
            "Inboxes show both side by side: let the standfirst say what the headline does not."
        )
        return Item(name, LOOK, _("It says the headline again."), remedy)
    return Item(name, OK, _("There, and not the headline again"))


def _size(preview: Preview) -> Item:
    name, words = _("Size of the mail"), filesizeformat(preview.size)
    limits = {"budget": filesizeformat(HTML_BUDGET), "limit": filesizeformat(CUT_OFF)}
    if preview.size >= CUT_OFF:
        remedy = (
            _(
                "Gmail cuts a mail off at %(limit)s, and the link to leave with it. "
                "Shorten the text."
            )
            % limits
        )
        return Item(name, WRONG, words, remedy)
    if preview.size > HTML_BUDGET:
        remedy = (
            _("More than %(budget)s; at %(limit)s Gmail cuts a mail off. Shorten the text.")
            % limits
        )
        return Item(name, LOOK, words, remedy)
    return Item(name, OK, words)


def _pictures(preview: Preview) -> Item:
    name, alts = _("Alternative texts"), _alternatives(preview.html)
    if not alts:
        return Item(name, OK, _("There is no picture in it."))
    bare = sum(not alt.strip() for alt in alts)
    if bare:
        words = ngettext("%(bare)s picture has none", "%(bare)s pictures have none", bare) % {
            "bare": bare
        }
        remedy = _("Say what is to be seen: many read a mail before, or without, its pictures.")
        return Item(name, WRONG, words, remedy)
    words = ngettext("%(all)s picture has one", "All %(all)s pictures have one", len(alts)) % {
        "all": len(alts)
    }
    return Item(name, OK, words)


def _alternatives(html: str) -> list[str]:
    """Of every picture, "" where there is none."""
    found: list[str] = []

    class Pictures(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                found.append(dict(attrs).get("alt") or "")

    Pictures().feed(html)
    return found


def _last_alert(story: Story, at: datetime | None) -> Item | None:
    """Checks the time from the last alert of the topic, or the last offer, to this one.

    Ignores drills.
    """
    if story.drill:
        return None
    name = _("Last alert on this topic") if story.topic else _("Last offer")
    alerts = Alert.objects.filter(topic=story.topic).exclude(state=Alert.State.TAKEN_BACK)
    alerts = alerts.exclude(
        audience__in=(Alert.Audience.DRILL, Alert.Audience.PAGE)
    ).select_related("update")
    alerts = alerts.only("held_until_ms", "update__headline")
    last = alerts.order_by("-held_until_ms").first()
    if last is None:
        return Item(name, OK, _("There was none yet."))
    headline, now = {"headline": last.update.headline}, timezone.now()
    if last.held_until_ms > now.timestamp() * 1000:
        words = _("One is about to be sent: “%(headline)s”") % headline
        return Item(name, LOOK, words, _("See that readers don’t get the same news twice."))
    ago = now - datetime.fromtimestamp(last.held_until_ms / 1000, now.tzinfo)
    gap = ago + (at - now) if at else ago
    words = _("%(time)s: “%(headline)s”") % {
        "time": _before(gap) if at else _ago(ago),
        **headline,
    }
    # A correction or withdrawal is never too soon.
    if gap >= SOON or story.kind in (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL):
        return Item(name, OK, words)
    return Item(name, LOOK, words, _("Is this one worth another interruption?"))


def _ago(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 1:
        return _("Less than a minute ago")
    if minutes < 120:
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {
            "count": minutes
        }
    if minutes < 48 * 60:
        return _("%(count)d hours ago") % {"count": minutes // 60}
    return _("%(count)d days ago") % {"count": minutes // (24 * 60)}


def _before(time: timedelta) -> str:
    """As `_ago`, from the time that was chosen."""
    minutes = int(time.total_seconds() // 60)
    if minutes < 120:
        return ngettext("%(count)d minute before", "%(count)d minutes before", minutes) % {
            "count": minutes
        }
    if minutes < 48 * 60:
        return _("%(count)d hours before") % {"count": minutes // 60}
    return _("%(count)d days before") % {"count": minutes // (24 * 60)}


def _terms(story: Story, to: str, readers: int, at: datetime | None) -> Item | None:
    """Checks how many readers have quiet hours or have paused when it leaves.

    Not for drills, which have no quiet hours. Not for corrections sent to the readers of an error:
    they get these nevertheless, only a little later.
    """
    if to not in (Alert.Audience.TOPIC, Alert.Audience.FOLLOWERS, Alert.Audience.OFFERS):
        return None
    name = _("Quiet hours and pauses")
    followers_of = story if to == Alert.Audience.FOLLOWERS else None
    found = alert_audience.with_preferences(story.topic, at or timezone.now(), followers_of)
    if not found.quiet and not found.paused:
        words = (
            _("All readers can be reached then.") if at else _("All readers can be reached now.")
        )
        return Item(name, OK, words)
    texts = []
    if found.quiet:
        words = ngettext(
            "%(number)s reader has quiet hours now and gets it when they are over",
            "%(number)s readers have quiet hours now and get it when they are over",
            found.quiet,
        )
        if at:
            words = ngettext(
                "%(number)s reader has quiet hours then and gets it when they are over",
                "%(number)s readers have quiet hours then and get it when they are over",
                found.quiet,
            )
        texts.append(words % {"number": _number(found.quiet)})
    if found.paused:
        texts.append(
            ngettext("%(number)s reader has paused", "%(number)s readers have paused", found.paused)
            % {"number": _number(found.paused)}
        )
    state = LOOK if found.quiet + found.paused >= MANY * readers else OK
    remedy = ""
    if found.flash and story.topic:
        remedy = ngettext(
            "%(number)s of them lets a flash through.",
            "%(number)s of them let a flash through.",
            found.flash,
        ) % {"number": _number(found.flash)}
    return Item(name, state, "; ".join(texts) + ".", remedy)


def _number(value: int) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)

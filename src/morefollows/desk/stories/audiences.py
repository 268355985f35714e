"""The audiences that a story's next update can go to, in words for the action bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from morefollows.audience.statistics.count_cache import kept
from morefollows.courier.recipients import earlier_recipients
from morefollows.desk.templatetags.desk import number
from morefollows.stories.alerts import alert_audience
from morefollows.stories.models import Alert, Story, UpdateKind


class AudienceChoice(NamedTuple):
    """An audience that an update can go to, and its number of readers."""

    audience: str
    readers: int
    label: str  #: who that is
    words: str  #: "48,216 readers"

    @property
    def is_nobody(self) -> bool:
        """Whether a mail is meant to go out and has no recipient."""
        return not self.readers and self.audience != Alert.Audience.PAGE


def audience_choices(story: Story, kind: str, on_topic: int) -> list[AudienceChoice]:
    """The audiences for the story's next update, the default first.

    `kind`: of that update; `on_topic`: the readers of the topic, or of offers.
    """
    return [_choice(story, kind, one, on_topic) for one in alert_audience.offered(story, kind)]


def sort_of(kind: str) -> str:
    """The sort of update that an audience was chosen for: "answer" to an error, or "news"."""
    return "answer" if kind in (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL) else "news"


def asked_audience(kind: str, data: Mapping[str, str]) -> str:
    """The audience that the action bar's fields name; "" for the default.

    One that stood there for another sort of update is no choice: an update's followers are not
    those who got the error.
    """
    sort = sort_of(kind)
    return data.get("audience", "") if data.get("audience_for", sort) == sort else ""


def reaches_nobody(story: Story, audience: str) -> bool:
    """Whether the draft, sent to this audience, would have no recipient. "": the default."""
    offered = alert_audience.offered(story)
    to = audience or offered[0]
    return to in offered and _choice(story, story.kind, to).is_nobody


def _choice(story: Story, kind: str, to: str, on_topic: int | None = None) -> AudienceChoice:
    readers = _count(story, kind, to, on_topic)
    if to == Alert.Audience.PAGE:
        words = _("Nobody")
    elif to == Alert.Audience.FOLLOWERS:
        words = ngettext("%(number)s follower", "%(number)s followers", readers)
    else:
        words = ngettext("%(number)s reader", "%(number)s readers", readers)
    return AudienceChoice(to, readers, _label(story, to), words % {"number": number(readers)})


def _label(story: Story, to: str) -> str:
    match to:
        case Alert.Audience.PAGE:
            return _("Nobody: publish to live page only")
        case Alert.Audience.RECIPIENTS:
            return _("Readers who got it")
        case Alert.Audience.FOLLOWERS:
            return _("Followers of this story")
        case Alert.Audience.DRILL:
            return _("Everyone who takes part in drills")
        case Alert.Audience.OFFERS:
            return _("Everyone who agreed to offers")
        case _:
            return _("Everyone on %(topic)s") % {"topic": story.topic}


def _count(story: Story, kind: str, to: str, on_topic: int | None) -> int:
    match to:
        case Alert.Audience.PAGE:
            return 0
        case Alert.Audience.RECIPIENTS:
            answers = None if kind == UpdateKind.WITHDRAWAL else story.answers
            alerts = alert_audience.alerts_of(story, answers)
            name = f"recipients of story {story.pk}: {len(alerts)} of {max(alerts, default=0)}"
            return int(kept(name, lambda: earlier_recipients.count_recipients(alerts)))
        case Alert.Audience.FOLLOWERS:
            return alert_audience.followers(story)
        case Alert.Audience.DRILL:
            return alert_audience.drill()
        case _:
            return alert_audience.count_readers(story.topic) if on_topic is None else on_topic


def send_words(story: Story, kind: str, choice: AudienceChoice, *, approves: bool, at: str) -> str:
    """What the button says: what happens, to how many, and when. `at`: a clock time, or ""."""
    if choice.audience == Alert.Audience.PAGE:
        return _("Publish to live page only")
    count = {"number": number(choice.readers), "time": at}
    if kind == UpdateKind.WITHDRAWAL:
        return _("Retract and tell %(number)s") % count
    if at:
        return _("Schedule for %(time)s") % count
    if approves:
        return _("Approve and send to %(number)s") % count
    if story.drill:
        return _("Send drill to %(number)s") % count
    if story.topic_id is None:
        return _("Send offer to %(number)s") % count
    if kind == UpdateKind.CORRECTION:
        return _("Send correction to %(number)s") % count
    return _("Send to %(number)s") % count

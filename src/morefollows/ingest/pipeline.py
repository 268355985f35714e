"""From an item as it came to a draft, an update's draft, or nothing and why.

`receive_items` stores items; `decide_waiting` has each become something. Each is a transaction of
its own: whenever the process is killed, an item is either not stored yet, and comes again, or
stored, and decided later. A draft's id follows from its item's, so that there is one.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from morefollows.audience.models import Newsroom
from morefollows.audit.actions import record
from morefollows.ingest.choice import Choice
from morefollows.ingest.drafts import images, item_drafts, takedown
from morefollows.ingest.drafts.item_drafts import NotDrafted
from morefollows.ingest.item import SURE, ItemStatus, NewsItem
from morefollows.ingest.item_json import item_from_json, item_to_json
from morefollows.ingest.matching.match import match, remember
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.ingest.rules import alone, editor_mails
from morefollows.ingest.rules.deciding_rule import active_rules, choose_for_item
from morefollows.stories.models import Story

log = logging.getLogger(__name__)

Decision = ReceivedItem.Decision

_ID_LIMIT = 500
_WHY_LIMIT = 500
_MOST_UNREADABLE = 1024 * 1024  # octets that are kept
_KEPT_DIGEST = 40  # hexadecimal digits of an earlier version's digest, when its text is back
_TRIES = 24  # until an item that can't be decided is left to an editor
_AGAIN = timedelta(seconds=5)
#: Nothing is compared with items of these decisions.
_NOTHING_NEW = (Decision.OLDER, Decision.WITHDRAWN, Decision.UNREADABLE)
#: An item of a feed that is older than this is no news: it is kept, and becomes no draft.
OLD = timedelta(days=2)


@dataclass(frozen=True)
class ArrivedItem:
    """One item, read, with the octets that it was read from."""

    item: NewsItem
    raw: bytes
    media_type: str = ""
    digest: str = ""  #: what tells its versions apart; empty: `content_digest`


def receive_items(source: Source, arrived: Iterable[ArrivedItem], way: str) -> int:
    """Stores the versions of items that are not stored yet, in order. Returns how many.

    `way`: how they came: poll, websub, push, folder or imap. The caller may have a transaction
    open in which it notes how far it has read.
    """
    rows = [_row(source, one, way) for one in arrived]
    if not rows:
        return 0
    with transaction.atomic():
        known = set(
            ReceivedItem.objects.filter(
                source=source, item_id__in={row.item_id for row in rows}
            ).values_list("item_id", "digest")
        )
        ids = {item_id for item_id, _digest in known}
        new = []
        for row in rows:
            # A version that is known came before: nothing to do, unless its text has come back.
            if (row.item_id, row.digest) in known:
                _mark_return(row)
            if (row.item_id, row.digest) not in known:
                known.add((row.item_id, row.digest))
                new.append(row)
            if row.item_id not in ids and _is_past(row):
                # A feed's past needs no decision: a new feed brings dozens at once.
                row.decision, row.decided_at = Decision.KEPT, row.received_at
                row.why = _("It was published days before it came in.")
        if new:
            # Another process may store the same at the same time: the constraint decides.
            ReceivedItem.objects.bulk_create(new, ignore_conflicts=True)
            Source.objects.filter(pk=source.pk).update(item_at=timezone.now())
    return len(new)


def _mark_return(row: ReceivedItem) -> None:
    """Gives a version that is back to an earlier text a digest of its own, so that it is stored.

    Only if its source says that it was changed after the newest one: some feeds and caches have
    now this text, now that.
    """
    changed = row.item.get("updated_at")
    if row.version is not None or not changed:
        return
    others = ReceivedItem.objects.filter(source_id=row.source_id, item_id=row.item_id)
    newest = others.order_by("-pk").values("pk", "digest", "item__updated_at").first()
    before = newest and newest["item__updated_at"]
    if newest is None or not before or newest["digest"][:_KEPT_DIGEST] == row.digest[:_KEPT_DIGEST]:
        return
    if datetime.fromisoformat(changed) > datetime.fromisoformat(before):
        row.digest = f"{row.digest[:_KEPT_DIGEST]}-{newest['pk']}"


def receive_unreadable(source: Source, raw: bytes, why: str, way: str, *, named: str) -> int:
    """Stores what can't be read, so that an editor sees it. Returns 1; 0 if it is known.

    `named`: what its source calls it, such as a file's name.
    """
    digest = hashlib.sha256(raw).hexdigest()
    row = ReceivedItem(
        source=source,
        item_id=f"unreadable:{digest}",
        digest=digest,
        headline=_storable(named)[:300],
        by_way_of=way,
        raw=raw[:_MOST_UNREADABLE],
        decision=Decision.UNREADABLE,
        why=_storable(why)[:_WHY_LIMIT],
        decided_at=timezone.now(),
    )
    known = ReceivedItem.objects.filter(source=source, item_id=row.item_id)
    if known.exists():
        return 0
    ReceivedItem.objects.bulk_create([row], ignore_conflicts=True)
    return 1


def _row(source: Source, one: ArrivedItem, way: str) -> ReceivedItem:
    item = one.item
    return ReceivedItem(
        source=source,
        item_id=identity_of(item),
        digest=one.digest or content_digest(item),
        version=item.version if item.version is None or item.version < 2**63 else None,
        status=item.status.value,
        urgency=item.urgency if item.urgency and 0 < item.urgency < 10 else None,
        embargo=item.embargo,
        headline=_storable(item.headline)[:300],
        language=_storable(item.language)[:35],
        published_at=item.published_at,
        by_way_of=way,
        raw=one.raw,
        media_type=one.media_type[:100],
        item=_storable(item_to_json(item)),
    )


def _storable(value: Any) -> Any:
    """Without what PostgreSQL can't store: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def identity_of(item: NewsItem) -> str:
    """What all versions of the item have in common: its id, its link, or a hash of its headline."""
    # The id first, as a link may change between versions.
    named = _storable(item.id.strip() or item.url.strip())
    if not named:
        words = " ".join((item.headline or item.text).split()).casefold()
        return "text:" + hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
    if len(named) <= _ID_LIMIT:
        return str(named)
    return "long:" + hashlib.sha256(named.encode()).hexdigest()


_TARGET = re.compile(r"\]\([^)\n]*\)")


def content_digest(item: NewsItem) -> str:
    """A hash of what the item says to readers, and of how it stands.

    Where links lead does not count: some feeds have other addresses in each reading.
    """
    parts = (
        str(item.version),
        item.status.value,
        item.embargo.isoformat() if item.embargo else "",
        item.headline,
        item.standfirst,
        _TARGET.sub("]", item.text),
        item.correction,
    )
    # Joined by the unit separator, so that a text can't move from one field into the next unseen.
    joined = "\x1f".join(parts)
    return hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest()


def decide_waiting(
    limit: int = 100, turn: Callable[[], AbstractContextManager[object]] = nullcontext
) -> int:
    """Decides on items that wait, the oldest first. Returns how many were looked at.

    One that fails does not stop the others: it is tried again later. `turn`: entered for each.
    """
    due = ReceivedItem.objects.filter(decision=Decision.WAITING, due_at__lte=timezone.now())
    waiting = list(due.order_by("pk").values_list("pk", flat=True)[:limit])
    for pk in waiting:
        try:
            with turn():
                decide_item(pk)
        except DatabaseError:
            raise
        except Exception:  # in one item; the others must still be decided
            log.exception("item %d can't be decided", pk)
            _put_off(pk, _("It could not be handled. The log says why."))
    return len(waiting)


def decide_item(pk: int) -> None:
    """Has one item become what it is to become, in one transaction. Deciding twice is safe."""
    with transaction.atomic():
        row = (
            ReceivedItem.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("source__account", "source__topic")
            # Locked by another process: it decides on it. Decided meanwhile: nothing is left to do.
            .filter(pk=pk, decision=Decision.WAITING)
            .first()
        )
        if row is None:
            return
        # All versions of an item are decided one after the other.
        Source.objects.select_for_update(no_key=True).get(pk=row.source_id)
        language = Newsroom.objects.filter(pk=1).values_list("language", flat=True).first()
        with translation.override(language or "en"):
            item = item_from_json(row.item)
            try:
                with transaction.atomic():
                    _decide(row, item)
            except NotDrafted as error:
                if error.later and row.tries < _TRIES:
                    row.tries, row.due_at = row.tries + 1, timezone.now() + _AGAIN
                    row.why = str(error)[:_WHY_LIMIT]
                    row.save(update_fields=["tries", "due_at", "why"])
                    return
                settle(row, Decision.KEPT, str(error))
        if row.decision not in _NOTHING_NEW:
            remember(item, row)


def _decide(row: ReceivedItem, item: NewsItem) -> None:
    earlier = _earlier(row)
    row.event = next((one.event for one in earlier if one.event is not None), None)
    if item.status == ItemStatus.CANCELED:
        stories = takedown.stories_of(row, item)
        row.draft = stories[0] if stories else None
        why = takedown.take_back_item(row, item)
        _overtake_waiting(row)
        settle(row, Decision.WITHDRAWN, why)
        record(None, "item withdrawn", story=row.draft, subject=row.source.name, reason=why)
        editor_mails.mail_about_withdrawals(stories)
        return
    if newest := _not_newer(row, item, earlier):
        settle(row, Decision.OLDER, newest)
        return
    if any(one.decision == Decision.WITHDRAWN for one in earlier):
        settle(row, Decision.KEPT, _("Its source has withdrawn it before. Look at it yourself."))
        return
    if item.status == ItemStatus.WITHHELD:
        settle(row, Decision.HELD, takedown.hold_item(row, item))
        return
    if (story := _became(earlier)) is not None:
        item_drafts.renew_draft(row, item, story)
        _settle_draft(row, item, story, _("It is a newer version."))
        return
    carry_out(row, item, _choose(row, item))


def carry_out(row: ReceivedItem, item: NewsItem, choice: Choice) -> None:
    """Makes the draft that was chosen, if any, and settles the item. Raises `NotDrafted`."""
    row.rule = choice.rule
    if choice.decision == Decision.DRAFT:
        story = item_drafts.make_draft(row, item, choice.topic)
        _settle_draft(row, item, story, choice.why)
        editor_mails.mail_about_draft(choice.rule, story)
    elif choice.decision == Decision.SENT:
        _send_alone(row, item, choice)
    elif choice.decision == Decision.UPDATE:
        assert choice.story is not None
        row.matched_story = choice.story
        item_drafts.renew_draft(row, item, choice.story)
        _settle_draft(row, item, choice.story, choice.why)
        editor_mails.mail_about_draft(choice.rule, choice.story)
    else:
        row.matched_story = choice.story
        settle(row, choice.decision, choice.why)


def _send_alone(row: ReceivedItem, item: NewsItem, choice: Choice) -> None:
    """Sends the item's draft, or a drill of it. What can't be sent stays a draft."""
    assert choice.rule is not None
    story = item_drafts.make_draft(row, item, choice.topic)
    if alone.is_drill(choice.rule):
        drill = item_drafts.make_draft(row, item, choice.topic, drill=True)
        why = alone.send_alone(choice.rule, drill)
        why = why or _("A drill of it was sent. The rule is not live yet.")
    elif not (why := alone.send_alone(choice.rule, story)):
        row.draft, row.matched_story = story, None
        settle(row, Decision.SENT, choice.why)
        return
    _settle_draft(row, item, story, f"{choice.why} {why}")


def _choose(row: ReceivedItem, item: NewsItem) -> Choice:
    """What is to become of an item that is not known yet."""
    found = match(item, row)
    row.event, row.match = row.event or found.event, found.as_json()
    if not item.headline.strip() or item.confidence < SURE:
        return Choice(Decision.KEPT, _("It is not sure which line is the headline. Choose it."))
    return choose_for_item(active_rules(), item, row.source, found)


def _is_past(row: ReceivedItem) -> bool:
    """Whether it is a feed's item that was published long before it came in."""
    stated = row.item.get("updated_at") or row.item.get("published_at")
    if row.source.kind != Source.Kind.FEED or not stated or row.status != ItemStatus.USABLE:
        return False
    return datetime.fromisoformat(stated) < row.received_at - OLD


def _earlier(row: ReceivedItem) -> list[ReceivedItem]:
    """Other versions of the same item that were decided, the newest first."""
    others = ReceivedItem.objects.filter(source=row.source, item_id=row.item_id)
    decided = others.exclude(pk=row.pk).exclude(decision=Decision.WAITING)
    return list(decided.select_related("draft").defer("raw").order_by("-pk"))


def _not_newer(row: ReceivedItem, item: NewsItem, earlier: list[ReceivedItem]) -> str:
    """Why the version is no newer than what is known; "" if it is."""
    used = [one for one in earlier if one.decision not in (Decision.OLDER, Decision.UNREADABLE)]
    known = [one.version for one in used if one.version is not None]
    if row.version is not None and known:
        if row.version <= max(known):
            return _("Version %(known)d is known already.") % {"known": max(known)}
        return ""
    times = [time for one in used if (time := item_from_json(one.item).updated_at)]
    if item.updated_at is not None and times and item.updated_at < max(times):
        return _("A version that was changed later is known already.")
    return ""


def _became(earlier: list[ReceivedItem]) -> Story | None:
    """The draft or story that an earlier version became."""
    return next((one.draft for one in earlier if one.draft is not None), None)


def _overtake_waiting(row: ReceivedItem) -> None:
    """Versions of a withdrawn item that still wait become nothing."""
    ReceivedItem.objects.filter(
        source=row.source, item_id=row.item_id, decision=Decision.WAITING, pk__lt=row.pk
    ).update(
        decision=Decision.OLDER,
        why=_("Its source has withdrawn it."),
        decided_at=timezone.now(),
    )


def _settle_draft(row: ReceivedItem, item: NewsItem, story: Story, why: str) -> None:
    row.draft = story
    later = story.state != Story.State.DRAFT
    row.images_due_at = timezone.now() if images.wanted(item) else None
    doubts = item_drafts.doubts_of(item)
    settle(row, Decision.UPDATE if later else Decision.DRAFT, " ".join([why, *doubts]))


def settle(row: ReceivedItem, decision: Decision, why: str) -> None:
    """Writes what became of the item. The caller has set `draft`, `rule` and the like."""
    row.decision, row.why, row.decided_at = decision, why[:_WHY_LIMIT], timezone.now()
    row.save()


def _put_off(pk: int, why: str) -> None:
    """Has an item that failed tried again later; after many tries it is left to an editor."""
    with transaction.atomic():
        row = ReceivedItem.objects.select_for_update().get(pk=pk)
        row.tries += 1
        row.due_at = timezone.now() + _AGAIN * 2 ** min(row.tries, 8)
        if row.tries >= _TRIES:
            settle(row, Decision.KEPT, why)
        else:
            row.save(update_fields=["tries", "due_at"])

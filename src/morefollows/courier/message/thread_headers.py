"""The header fields by which mail programs put a story's mails into one thread.

References and In-Reply-To (RFC 5322 §3.6.4), and Outlook's Thread-Topic and Thread-Index.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence

from morefollows.audience.link_tokens.tokens import TokenRow
from morefollows.courier.message.content import Author, Field, Letterhead
from morefollows.courier.message.subjects import thread_subject
from morefollows.courier.message.template import Slot
from morefollows.stories.models import Alert, Update, UpdateKind

_LONGEST_THREAD = 20  # mails named in References, beside the synthetic first one


def threads(
    alert: Alert, receipt: Callable[[TokenRow, TokenRow], bytes], sender: Author
) -> Callable[[TokenRow, Sequence[int]], tuple[bytes, bytes]]:
    """Returns the function that makes the values for `Slot.REFERENCES` and `Slot.REPLY`.

    It takes a reader and the story's alerts sent to that reader before, in order. `receipt` is
    `Tokens.receipt`. Message-IDs have the domain of `sender`. Of a long thread the newest mails are
    named (RFC 5322 §3.6.4).
    """
    domain = sender.domain.encode("ascii")
    root = f"{alert.update.story.uuid}@".encode() + domain
    alerts = {}
    if alert.update.number != 1:  # nothing was sent before a story's first update
        of_story = Alert.objects.filter(update__story=alert.update.story_id)
        for number, uuid in of_story.values_list("pk", "uuid"):
            alerts[number] = TokenRow(number, uuid.bytes)

    def thread(reader: TokenRow, had: Sequence[int]) -> tuple[bytes, bytes]:
        if not had:
            return b"", root
        ids = [
            receipt(alerts[earlier], reader) + b"@" + domain for earlier in had[-_LONGEST_THREAD:]
        ]
        return b"".join([b"\r\n <" + one + b">" for one in ids]), ids[-1]

    return thread


def thread_fields(head: Letterhead, update: Update, at: float) -> list[Field]:
    """Returns the header fields that thread a story's mails, with slots for those already sent.

    References begins with a synthetic Message-ID, so that late joiners get the same thread.
    """
    later, placeholders = update.kind != UpdateKind.FIRST, head.placeholders
    # Mail programs display the topic: a correction must not bring the false headline with it.
    topic = []
    if update.kind not in (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL):
        words = thread_subject(update.story) if later else update.headline
        topic.append(Field("Thread-Topic", words, free_text=True))
    references = f"<{update.story.uuid}@{head.sender.domain}>" + (
        placeholders[Slot.REFERENCES] if later else ""
    )
    return [
        Field("References", references),
        *([Field("In-Reply-To", f"<{placeholders[Slot.REPLY]}>")] if later else []),
        *topic,
        Field("Thread-Index", _thread_index(update, at)),
    ]


def _thread_index(update: Update, at: float) -> str:
    """Returns Outlook's conversation index: 6 octets of time (the first is 0x01), then the UUID.

    Each later update adds 5 octets ([MS-OXOMSG] §2.2.1.3): the coarse time since the first, and
    its number.
    """
    story = update.story
    began, uuid = _hundred_ns(story.created_at.timestamp()), story.uuid
    index = (began >> 16).to_bytes(6, "big") + uuid.bytes
    if update.kind != UpdateKind.FIRST:
        earlier = story.updates.filter(number__gt=1, published_at__isnull=False).exclude(
            pk=update.pk
        )
        times = [
            moment.timestamp()
            for moment in earlier.order_by("number").values_list("published_at", flat=True)
            if moment
        ]
        for number, published_at in enumerate([*times, at], 2):
            since = max(_hundred_ns(published_at) - began, 0)
            code = since >> 18 if since < 1 << 49 else 1 << 31 | since >> 23
            index += (code & 0xFFFFFFFF).to_bytes(4, "big") + bytes([number & 0xFF])
    return b64encode(index).decode()


def _hundred_ns(seconds: float) -> int:
    """Converts Unix seconds to units of 100 ns since 1601 (Windows FILETIME)."""
    return int((seconds + 11_644_473_600) * 10_000_000)

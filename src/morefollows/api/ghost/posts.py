"""Reads what Ghost's webhooks send, and checks who sent it.

The form is that of Ghost 5 and 6: ``{"post": {"current": {…}, "previous": {…}}}``, in Ghost 6 with
``"event"`` beside it. `previous` has only what has changed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from enum import StrEnum
from typing import Any, NamedTuple

import lxml.html
from lxml.etree import LxmlError
from markdownify import markdownify

from morefollows.stories import checks

_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64}), ?t=([0-9]{10,16})")
#: A webhook is older than this only if somebody has kept it to send it again.
_TOLERANCE_MS = 15 * 60 * 1000
_LEFT_OUT = ("figure", "img", "iframe", "script", "style", "form", "audio", "video", "svg")
_HTML_LIMIT = 1_000_000  # characters that are read of a post
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_START_LIMIT = 1_000  # characters after which no further paragraph is taken
#: A paragraph in which a newspaper says what was wrong: "Correction: We said that …".
_CORRECTION = re.compile(
    r"[\s*_>]*(?:correction|corrected|berichtigung|korrektur|richtigstellung|rectificatif|correctif"
    r"|corrección|rettifica)\b[^:\n]{0,40}:[\s*_]*(\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_ROOM = 1_000  # of the text's limit, for the link


class BadGhostHook(Exception):
    """The webhook is not signed, or not of the form that is known. ``str()`` says what is wrong."""


class GhostEvent(StrEnum):
    PUBLISHED = "post.published"
    EDITED = "post.published.edited"
    UNPUBLISHED = "post.unpublished"


class GhostPost(NamedTuple):
    """A post, as one webhook gives it."""

    event: GhostEvent
    id: str
    updated_at: str
    headline: str
    standfirst: str
    html: str
    url: str
    tags: tuple[str, ...]  #: slugs, the primary one first
    members_only: bool


def check_ghost_signature(secret: str, header: str, body: bytes, now_ms: int) -> None:
    """Raises `BadGhostHook` unless the body was signed with the secret, in the last minutes."""
    found = _SIGNATURE.fullmatch(header)
    if found is None:
        raise BadGhostHook("X-Ghost-Signature is missing. Enter the secret in Ghost.")
    expected = hmac.new(secret.encode(), body + found[2].encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, found[1]):
        raise BadGhostHook("the signature is wrong. Enter the secret in Ghost once more.")
    if abs(now_ms - int(found[2])) > _TOLERANCE_MS:
        raise BadGhostHook("the webhook is too old, or a clock is wrong.")


def read_ghost_post(body: bytes) -> GhostPost | None:
    """The post of a webhook; None for events that are of no interest. Raises `BadGhostHook`."""
    try:
        sent = json.loads(body)
        post, previous = sent["post"]["current"], sent["post"].get("previous") or {}
        event = _event(sent.get("event"), post, previous)
        if event is None:
            return None
        # What was unpublished by deleting it has nothing left in `current`.
        whole = {**previous, **post}
        return GhostPost(
            event=event,
            id=_text(whole, "id", 64),
            updated_at=_text(whole, "updated_at", 40),
            headline=_line(str(whole["title"]), checks.HEADLINE_LIMIT),
            standfirst=_line(str(whole.get("custom_excerpt") or ""), checks.STANDFIRST_LIMIT),
            html=str(whole.get("html") or ""),
            url=str(whole.get("url") or ""),
            tags=tuple(str(tag["slug"]) for tag in whole.get("tags") or []),
            members_only=whole.get("visibility", "public") != "public",
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadGhostHook("the body is not that of a webhook about a post.") from None


def _event(named: Any, post: dict[str, Any], previous: dict[str, Any]) -> GhostEvent | None:
    if isinstance(named, str):
        return GhostEvent(named) if named in list(GhostEvent) else None
    before = previous.get("status", post.get("status"))
    if post.get("status") == "published":
        return GhostEvent.EDITED if before == "published" else GhostEvent.PUBLISHED
    return GhostEvent.UNPUBLISHED if before == "published" else None


def _text(post: dict[str, Any], name: str, limit: int) -> str:
    value = post[name]
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise ValueError(name)
    return value


def _line(text: str, limit: int) -> str:
    """The text on one line, cut at a word if it is too long."""
    line = " ".join(_INVISIBLE.sub("", text).split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rpartition(" ")[0].rstrip() + "…"


def note_of_ghost_post(post: GhostPost) -> str:
    """What the post itself says was wrong, in one line; "" if it does not."""
    for block in _blocks(post.html):
        if found := _CORRECTION.fullmatch(block):
            plain = re.sub(r"\[([^\]]+)\]\([^)\s]*\)|[*_`]", r"\1", found[1])
            return _line(plain, checks.NOTE_LIMIT)
    return ""


def text_of_ghost_post(post: GhostPost, *, whole: bool, without_note: bool = False) -> str:
    """The Markdown of the alert: the first paragraphs, or all, and a link to the post.

    Of a post for members only the link: its text is not for everybody. `without_note`: without the
    paragraph that says what was wrong.
    """
    kept: list[str] = []
    length, most = 0, checks.TEXT_LIMIT - _ROOM if whole else _START_LIMIT
    for block in [] if post.members_only else _blocks(post.html):
        if without_note and _CORRECTION.fullmatch(block):
            continue
        length += len(block) + 2
        if length > checks.TEXT_LIMIT - _ROOM or (kept and length > most):
            break
        kept.append(block)
    if re.fullmatch(r"https?://[^\s<>]+", post.url) and post.event != GhostEvent.UNPUBLISHED:
        kept.append(f"<{post.url}>")
    return "\n\n".join(kept)


def _blocks(html: str) -> list[str]:
    """The paragraphs, headings and lists of a post as Markdown."""
    try:
        root = lxml.html.fragment_fromstring(html[:_HTML_LIMIT], create_parent="div")
        for one in list(root.iter(*_LEFT_OUT)):
            one.drop_tree()
        text = markdownify(lxml.html.tostring(root, encoding="unicode"), heading_style="ATX")
    except (LxmlError, ValueError, RecursionError):  # nothing that an editor has written
        return []
    text = _INVISIBLE.sub("", text)
    return [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]

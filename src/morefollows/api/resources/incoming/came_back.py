"""What came back: counts, floods of bounces, judgements and their correction; replies of readers.

Invariant: what a reader wrote, and the address, is shown to those alone who may see readers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from ninja import Field, Path, Query, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import YesNo
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import ProblemDetails, forbidden, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account, administrator
from morefollows.api.scopes import Scope
from morefollows.feedback.intake import actions, bounce_flood, overview, wording
from morefollows.feedback.models import BounceFlood, IncomingMail

router = Router()
_MAY = "judge what came back"  # with the role administrator alone
replies = Router()

_DAYS = 7
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
#: Kinds, and kinds of bounce with their reason.
Judgement = Literal[
    "bounce hard",
    "bounce full",
    "bounce soft",
    "bounce spam",
    "bounce policy",
    "bounce unknown",
    "delayed",
    "delivered",
    "complaint",
    "automatic",
    "challenge",
    "leave",
    "reply",
    "other",
]


class CountOut(Schema):
    kind: str
    reason: str = Field(description="Of a bounce: hard, full, soft, spam, policy, unknown.")
    number: int


class DomainOut(Schema):
    domain: str = Field(description="Of readers.")
    hard: int
    soft: int
    refused: int = Field(description="As spam, or by policy.")
    complaints: int
    text: str = Field(description="The latest words.")


class ReceiverOut(Schema):
    """What takes in bounces, complaints and replies: a listener, mailbox, folder or webhook."""

    name: str
    mails: int
    ok_at: datetime | None
    mail_at: datetime | None
    trouble: str = Field(description="Empty: it works.")
    state: str = Field(description="well, trouble, silent; empty: it is not known.")


class FloodOut(Schema):
    """So many bounces at once that they count against nobody until somebody decides."""

    id: int
    domain: str = Field(description="Empty: of all domains.")
    since: datetime
    bounced: int
    accepted: int = Field(description="Mails that were accepted in those days.")


class CameBackOut(Schema):
    """What came back in the last seven days."""

    counts: list[CountOut]
    domains: list[DomainOut]
    receivers: list[ReceiverOut]
    floods: list[FloodOut] = Field(description="That wait for a decision.")


class FloodIn(Schema):
    count: YesNo = Field(description="true: the bounces count. false: they are dismissed.")


class FloodDecidedOut(Schema):
    bounces: int


class JudgedOut(Schema):
    """A mail that came back, as it was judged."""

    id: int
    arrived_at: datetime
    receiver: str = Field(description="Name of the receiver that took it in.")
    kind: str
    reason: str
    known_by: str = Field(description="How its reader is known; empty: not at all.")
    domain: str
    status: str = Field(description="Enhanced status (RFC 3463).")
    code: int | None
    text: str
    counting: str = Field(description="Of a bounce: whether it counts against its reader.")
    done: str = Field(description="left (unsubscribed), complained, forwarded …; empty: nothing.")
    corrected_to: str


class JudgedPage(Schema):
    items: list[JudgedOut]
    next_cursor: str | None


class JudgedQuery(PageQuery):
    corrected: bool = Field(False, description="Only those that were judged wrongly.")
    kind: (
        Literal[
            "bounce",
            "delayed",
            "delivered",
            "complaint",
            "automatic",
            "challenge",
            "leave",
            "reply",
            "other",
        ]
        | None
    ) = None


class CorrectionIn(Schema):
    really: Judgement


class ExportedOut(Schema):
    mail: str


class ReplyOut(Schema):
    """What a reader, or a reader’s system, wrote, and nobody has dealt with."""

    id: int
    arrived_at: datetime
    kind: str
    sender: str
    subject: str
    text: str = Field(description="Empty: it is no longer kept.")
    asks_to_leave: bool
    known: bool = Field(description="It is of a reader of ours.")
    sure: bool = Field(description="A token proves which one.")


class ReplyPage(Schema):
    items: list[ReplyOut]
    next_cursor: str | None


class ReplyDoneIn(Schema):
    unsubscribe: YesNo = Field(False, description="Unsubscribe its reader from everything.")


def _sees_readers(request: ApiRequest) -> Editor:
    by = account(request)
    if not by.may_see_readers:
        raise forbidden("The key’s role can’t see readers.")
    return by


def _mail(mail_id: int) -> IncomingMail:
    judged = IncomingMail.objects.filter(pk=mail_id, state=IncomingMail.State.JUDGED)
    found = judged.first()
    if found is None:
        raise not_found(f"mail {mail_id}")
    return found


@router.get("", auth=KeyWith(Scope.FEEDBACK_READ), response=CameBackOut, operation_id="getCameBack")
def get_came_back(request: ApiRequest) -> Any:
    """Count what came back in the last seven days; show the receivers and floods of bounces."""
    since = timezone.now() - timedelta(days=_DAYS)
    return CameBackOut(
        counts=[CountOut(**one._asdict()) for one in overview.counts(since)],
        domains=[DomainOut(**one._asdict()) for one in overview.domain_rows(since)],
        receivers=[
            ReceiverOut(**{name: getattr(one, name) for name in ReceiverOut.model_fields})
            for one in overview.receiver_rows()
        ],
        floods=[
            FloodOut(
                id=one.pk,
                domain=one.domain,
                since=one.since,
                bounced=one.bounced,
                accepted=one.accepted,
            )
            for one in overview.open_floods()
        ],
    )


@router.post(
    "/floods/{int:flood_id}",
    auth=KeyWith(Scope.FEEDBACK_WRITE),
    response=FloodDecidedOut,
    operation_id="decideFlood",
)
def decide_flood(request: ApiRequest, flood_id: Number, payload: FloodIn) -> Any:
    """Count the bounces of a flood against their readers, or dismiss them."""
    by = administrator(request, _MAY)
    flood = BounceFlood.objects.filter(pk=flood_id).first()
    if flood is None:
        raise not_found(f"flood {flood_id}")
    if flood.decided_at is not None:
        raise ProblemDetails(409, "state", "Somebody has decided about it already.")
    return {"bounces": bounce_flood.decide_flood(flood, by, count=payload.count)}


@router.get(
    "/mails",
    auth=KeyWith(Scope.FEEDBACK_READ),
    response=JudgedPage,
    operation_id="listCameBack",
)
def list_mails(request: ApiRequest, response: HttpResponse, query: Query[JudgedQuery]) -> Any:
    """List mails that came back and how they were judged, newest first."""
    administrator(request, _MAY)
    # Without the mail itself, which is large, and not shown here.
    found = IncomingMail.objects.filter(state=IncomingMail.State.JUDGED).defer("sealed")
    if query.corrected:
        found = found.exclude(corrected_to="")
    if query.kind is not None:
        found = found.filter(kind=query.kind)
    return page(request, response, found, query, _judged_out)


def _judged_out(row: IncomingMail) -> JudgedOut:
    own: dict[str, Any] = {"id": row.pk, "code": row.code or None, "done": row.done}
    names = set(JudgedOut.model_fields) - set(own)
    return JudgedOut(**own, **{name: getattr(row, name) for name in names})


@router.post(
    "/mails/{int:mail_id}/correction",
    auth=KeyWith(Scope.FEEDBACK_WRITE),
    response=JudgedOut,
    operation_id="correctJudgement",
)
def correct(request: ApiRequest, mail_id: Number, payload: CorrectionIn) -> Any:
    """Note what a mail really is. It counts against nobody any more."""
    by = administrator(request, _MAY)
    actions.correct(_mail(mail_id), by, payload.really)
    return _judged_out(_mail(mail_id))


@router.get(
    "/mails/{int:mail_id}/export",
    auth=KeyWith(Scope.FEEDBACK_READ),
    response=ExportedOut,
    operation_id="exportCameBack",
)
def export_mail(request: ApiRequest, mail_id: Number) -> Any:
    """Show a mail that came back, without addresses: to tell what was judged wrongly."""
    by = administrator(request, _MAY)
    raw = actions.exported(_mail(mail_id), by)
    if raw is None:
        raise ProblemDetails(409, "state", "It is no longer kept, or is a person’s own words.")
    # Mail is octets and JSON is UTF-8 (RFC 8259 §8.1). NUL is valid there, but many databases
    # refuse it.
    return {"mail": raw.decode("utf-8", "replace").replace("\0", "\ufffd")}


@replies.get("", auth=KeyWith(Scope.FEEDBACK_READ), response=ReplyPage, operation_id="listReplies")
def list_replies(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List replies that nobody has dealt with, newest first."""
    _sees_readers(request)
    return page(request, response, overview.open_replies(), query, _reply_out)


def _reply_out(row: IncomingMail) -> ReplyOut:
    shown = wording.shown_reply(row)
    return ReplyOut(
        id=row.pk,
        arrived_at=row.arrived_at,
        kind=row.kind,
        sender=shown.sender,
        subject=shown.subject,
        text=shown.words,
        asks_to_leave=shown.asks_to_leave,
        known=shown.known,
        sure=shown.sure,
    )


@replies.post(
    "/{int:reply_id}/done",
    auth=KeyWith(Scope.FEEDBACK_WRITE),
    response={204: None},
    operation_id="finishReply",
)
def finish_reply(request: ApiRequest, reply_id: Number, payload: ReplyDoneIn) -> Any:
    """Put a reply away, and unsubscribe its reader if so asked."""
    by = _sees_readers(request)
    row = overview.open_replies().filter(pk=reply_id).first()
    if row is None:
        raise not_found(f"reply {reply_id} that waits")
    if not actions.answer_reply(row, by, unsubscribe=payload.unsubscribe):
        raise ProblemDetails(409, "state", "There is no reader with its address.")
    return Status(204, None)

"""What the API answers with.

Made by tools/clients.py from clients/openapi.json: do not edit it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

EventType = Literal[
    "story.published",
    "story.updated",
    "story.corrected",
    "story.withdrawn",
    "alert.held",
    "alert.sending",
    "alert.paused",
    "alert.asking",
    "alert.sent",
    "alert.taken_back",
    "alert.stopped",
    "alert.overtaken",
    "alert.expired",
    "reader.confirmed",
    "reader.unsubscribed",
    "reader.bounced",
    "reader.complained",
    "objective.missed",
    "objective.met",
    "import.finished",
]


@dataclass(frozen=True)
class AlertOut:
    id: UUID
    state: Literal[
        "held",
        "sending",
        "paused",
        "asking",
        "sent",
        "taken back",
        "stopped",
        "overtaken",
        "expired",
    ]
    story: UUID
    kind: str
    headline: str
    audience: str
    topic: str | None
    drill: bool
    flash: bool
    sent_by: str
    #: When Send was pressed, or its schedule begins.
    sent_at: datetime
    held_until: datetime | None
    not_before: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class AlertPage:
    items: list[AlertOut]
    next_cursor: str | None


@dataclass(frozen=True)
class ApproverList:
    items: list[ApproverOut]


@dataclass(frozen=True)
class ApproverOut:
    id: int
    name: str


@dataclass(frozen=True)
class AudienceCountsOut:
    """Readers are counted once in `states`, and once for each of their topics in `topics`."""

    #: All readers by state, and suppressed addresses.
    states: dict[str, int]
    #: Whom an alert to each topic would reach.
    topics: list[AudienceOut]


@dataclass(frozen=True)
class AudienceOut:
    readers: int
    by_language: dict[str, int]
    #: The slug.
    topic: str


@dataclass(frozen=True)
class BadLineOut:
    line: int
    reason: str


@dataclass(frozen=True)
class BroughtInOut:
    """The draft, and what was seen while it was read."""

    story: StoryOut
    #: What somebody should look at before it is sent.
    doubts: list[str]
    #: Its own notes. They are not in the text.
    for_editors: list[str]
    left_out: list[str]


@dataclass(frozen=True)
class CameBackOut:
    """What came back in the last seven days."""

    counts: list[CountOut]
    domains: list[DomainOut]
    receivers: list[ReceiverOut]
    #: That wait for a decision.
    floods: list[FloodOut]


@dataclass(frozen=True)
class ConsentLineOut:
    event: str
    how: str
    at: datetime
    words: str
    language: str
    version: int | None
    page: str


@dataclass(frozen=True)
class ConsentOut:
    purpose: str
    topic: str | None
    in_force: bool
    lines: list[ConsentLineOut]


@dataclass(frozen=True)
class CountOut:
    kind: str
    #: Of a bounce: hard, full, soft, spam, policy, unknown.
    reason: str
    number: int


@dataclass(frozen=True)
class DeliveryOut:
    id: int
    #: The `webhook-id` that is sent.
    event: str
    type: str
    state: str
    at: datetime
    tries: int
    due_at: datetime
    last_result: str


@dataclass(frozen=True)
class DeliveryPage:
    items: list[DeliveryOut]
    next_cursor: str | None


@dataclass(frozen=True)
class DomainOut:
    #: Of readers.
    domain: str
    hard: int
    soft: int
    #: As spam, or by policy.
    refused: int
    complaints: int
    #: The latest words.
    text: str


@dataclass(frozen=True)
class DrillReaderOut:
    """Somebody who was invited to drills."""

    #: Of the reader.
    id: UUID
    address: str
    invited_at: datetime
    #: null: no drill goes there yet.
    accepted_at: datetime | None


@dataclass(frozen=True)
class DrillReaderPage:
    items: list[DrillReaderOut]
    next_cursor: str | None


@dataclass(frozen=True)
class EntryOut:
    at: datetime
    who: str
    what: str
    subject: str
    story: UUID | None
    alert: UUID | None
    network: str
    details: dict[str, Any]


@dataclass(frozen=True)
class EntryPage:
    items: list[EntryOut]
    next_cursor: str | None


@dataclass(frozen=True)
class ExportedOut:
    mail: str


@dataclass(frozen=True)
class FloodDecidedOut:
    bounces: int


@dataclass(frozen=True)
class FloodOut:
    """So many bounces at once that they count against nobody until somebody decides."""

    id: int
    #: Empty: of all domains.
    domain: str
    since: datetime
    bounced: int
    #: Mails that were accepted in those days.
    accepted: int


@dataclass(frozen=True)
class FullSourceOut:
    id: UUID
    name: str
    kind: str
    address: str
    has_password: bool
    topic: str | None
    language: str
    agency: str
    text_from: str
    unmatched: str
    sends_alone: bool
    interval_seconds: int
    paused: bool
    #: Empty: it works.
    error: str
    ok_at: datetime | None
    item_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class FullSourcePage:
    items: list[FullSourceOut]
    next_cursor: str | None


@dataclass(frozen=True)
class FullWireItemOut:
    """The same, with the item as it was read and as it came."""

    id: UUID
    source: UUID
    source_name: str
    #: As its source names it.
    item_id: str
    version: int | None
    status: str
    urgency: int | None
    headline: str
    language: str
    published_at: datetime | None
    received_at: datetime
    #: The same for all items of one event.
    event: UUID | None
    became: str
    why: str
    #: Whose draft it became.
    story: UUID | None
    #: The id of the rule that decided, if one did.
    rule: int | None
    standfirst: str
    text: str
    byline: str
    dateline: str
    embargo_until: datetime | None
    #: For editors. Readers never see them.
    notes: list[str]
    #: What somebody should look at.
    doubts: list[str]
    left_out: list[str]
    sure_of_headline: bool
    #: Those that it could be, if it is not sure.
    headlines: list[str]
    #: As it came, its first 50,000 octets; empty once deleted.
    raw: str


@dataclass(frozen=True)
class HealthOut:
    status: Literal["ok"]


@dataclass(frozen=True)
class ImageOut:
    #: Of the picture: the same one uploaded again has the same.
    id: str
    url: str
    width: int
    height: int


@dataclass(frozen=True)
class ImportOut:
    id: UUID
    state: Literal["waiting", "running", "finished", "failed"]
    dry_run: bool
    #: Bytes of the file.
    size: int
    #: Bytes read so far.
    position: int
    #: Of lines, by what became of them.
    counts: dict[str, int]
    #: The first hundred bad lines.
    problems: list[BadLineOut]
    #: Why nothing was imported.
    error: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class ImportPage:
    items: list[ImportOut]
    next_cursor: str | None


@dataclass(frozen=True)
class InvitationLinkOut:
    #: For those who may sign up.
    url: str


@dataclass(frozen=True)
class JudgedOut:
    """A mail that came back, as it was judged."""

    id: int
    arrived_at: datetime
    #: Name of the receiver that took it in.
    receiver: str
    kind: str
    reason: str
    #: How its reader is known; empty: not at all.
    known_by: str
    domain: str
    #: Enhanced status (RFC 3463).
    status: str
    code: int | None
    text: str
    #: Of a bounce: whether it counts against its reader.
    counting: str
    #: left (unsubscribed), complained, forwarded …; empty: nothing.
    done: str
    corrected_to: str


@dataclass(frozen=True)
class JudgedPage:
    items: list[JudgedOut]
    next_cursor: str | None


@dataclass(frozen=True)
class KeyOut:
    """What the key may be used for. The key itself is never shown again."""

    id: UUID
    name: str
    role: str
    scopes: list[str]
    #: Slugs that it is bound to; null: all topics.
    topics: list[str] | None
    expires_at: datetime | None
    #: Whose alerts these are.
    newsroom: str
    #: How long alerts are held, unless the request says.
    hold_seconds: float


@dataclass(frozen=True)
class MergeOut:
    """Readers of the topic that is merged."""

    #: Become readers of the other topic.
    moved: int
    #: Have both already.
    both: int
    #: Unsubscribed from the other topic before: they are not moved.
    left: int
    #: Were asked, and have not confirmed yet.
    unconfirmed: int


@dataclass(frozen=True)
class NewWebhookOut:
    #: It signs what is sent, and can’t be shown again.
    secret: str
    id: UUID
    url: str
    events: list[str]
    active: bool
    paused_because: str
    created_at: datetime


@dataclass(frozen=True)
class PersonOut:
    id: int
    email: str
    name: str
    role: Literal["reporter", "editor", "administrator"]
    #: Slugs; null: all.
    topics: list[str] | None
    offers: bool
    active: bool
    invited_at: datetime | None


@dataclass(frozen=True)
class PersonPage:
    items: list[PersonOut]
    next_cursor: str | None


@dataclass(frozen=True)
class ProcessList:
    items: list[ProcessOut]


@dataclass(frozen=True)
class ProcessOut:
    """A process that is in the registry."""

    name: str
    host: str
    role: str
    version: str
    #: What it leads, with commas between.
    leads: str
    #: Why it does not work; empty: it does.
    trouble: str
    #: Since its last heartbeat; 0: they come in time.
    silent_seconds: int
    same_keys: bool
    same_version: bool


@dataclass(frozen=True)
class ProgressOut:
    """Counts are of readers; seconds are from the end of the hold."""

    state: str
    size: int
    #: The whole audience is counted in `size`.
    complete: bool
    waiting: int
    accepted: int
    deferred: int
    refused: int
    skipped: int
    uncertain: int
    expired: int
    repeated: int
    #: Accepted a second.
    rate: float
    #: first, p50, p90, p99, last.
    seconds: dict[str, float | None]
    replies: list[ReplyCountOut]


@dataclass(frozen=True)
class PushedItem:
    #: As its source names it.
    item_id: str
    version: int | None
    status: str
    headline: str


@dataclass(frozen=True)
class PushedOut:
    #: How many of the items were not known yet.
    new: int
    items: list[PushedItem]


@dataclass(frozen=True)
class ReaderOut:
    id: UUID
    address: str
    language: str
    state: str
    created_at: datetime
    confirmed_at: datetime | None
    offers: bool
    #: Why the address is never mailed, if so.
    suppressed: str | None
    subscriptions: list[SubscriptionOut]
    consents: list[ConsentOut]


@dataclass(frozen=True)
class ReceiverOut:
    """What takes in bounces, complaints and replies: a listener, mailbox, folder or webhook."""

    name: str
    mails: int
    ok_at: datetime | None
    mail_at: datetime | None
    #: Empty: it works.
    trouble: str
    #: well, trouble, silent; empty: it is not known.
    state: str


@dataclass(frozen=True)
class RelayOut:
    name: str
    paused: bool
    reason: str
    trouble: str


@dataclass(frozen=True)
class ReplyCountOut:
    domain: str
    outcome: str
    code: int
    status: str
    text: str
    count: int


@dataclass(frozen=True)
class ReplyOut:
    """What a reader, or a reader’s system, wrote, and nobody has dealt with."""

    id: int
    arrived_at: datetime
    kind: str
    sender: str
    subject: str
    #: Empty: it is no longer kept.
    text: str
    asks_to_leave: bool
    #: It is of a reader of ours.
    known: bool
    #: A token proves which one.
    sure: bool


@dataclass(frozen=True)
class ReplyPage:
    items: list[ReplyOut]
    next_cursor: str | None


@dataclass(frozen=True)
class ReportOut:
    """What became of the mails, in short."""

    sent: int
    twice: int
    to_come: int
    never: int
    uncertain: int
    may_retry: bool
    may_repeat: bool


@dataclass(frozen=True)
class RuleList:
    items: list[RuleOut]


@dataclass(frozen=True)
class RuleOut:
    id: int
    #: The first active rule that fits decides.
    position: int
    name: str
    action: Literal["ignore", "draft", "tell", "update", "send"]
    active: bool
    sources: list[UUID]
    topics: list[str]
    most_urgency: int | None
    words: list[str]
    without: list[str]
    languages: list[str]
    topic: str | None
    tells: list[int]
    #: Of the action `send`; null for others.
    hold_seconds: int | None
    most_a_day: int | None
    #: It has sent a drill, and may be let send to readers.
    drilled: bool
    #: It sends to readers. Until then it sends drills.
    live: bool


@dataclass(frozen=True)
class SecretOut:
    #: It signs what is sent, and can’t be shown again.
    secret: str


@dataclass(frozen=True)
class SendersOut:
    """Sender processes that wrote within the last ten seconds, and the relays."""

    senders: int
    relays: list[RelayOut]


@dataclass(frozen=True)
class SettingList:
    items: list[SettingOut]


@dataclass(frozen=True)
class SettingOut:
    name: str
    #: In the environment.
    variable: str
    group: str
    #: Empty for a secret.
    value: str
    default: str
    origin: Literal["environment", "desk", "default"]
    secret: bool
    is_set: bool
    #: When a change takes effect.
    acts: Literal["now", "senders", "restart"]
    help: str


@dataclass(frozen=True)
class SignUpOut:
    """Always the same, so that nobody learns from it whether the address was known."""

    state: Literal["asked to confirm"]


@dataclass(frozen=True)
class SimulatedItemOut:
    item: UUID
    headline: str
    became: str


@dataclass(frozen=True)
class SimulationOut:
    """What a rule would have done with the items of the last 30 days."""

    looked_at: int
    #: There were more items than are looked at.
    more: bool
    fitted: int
    became: dict[str, int]
    newest: list[SimulatedItemOut]


@dataclass(frozen=True)
class SiteList:
    items: list[SiteOut]


@dataclass(frozen=True)
class SiteOut:
    origin: str
    added_at: datetime


@dataclass(frozen=True)
class SourceOut:
    id: UUID
    name: str
    kind: str
    #: Whose conventions its items follow.
    agency: str
    topic: str | None
    paused: bool
    #: Empty: it works.
    error: str
    ok_at: datetime | None
    #: When the last new item came in.
    item_at: datetime | None


@dataclass(frozen=True)
class SourcePage:
    items: list[SourceOut]
    next_cursor: str | None


@dataclass(frozen=True)
class StoryOut:
    id: UUID
    state: str
    purpose: str
    drill: bool
    #: Of the draft’s update.
    kind: str
    headline: str
    standfirst: str
    text: str
    note: str
    corrects: list[int]
    language: str
    topic: str | None
    embargo_until: datetime | None
    #: Raised by each save; it is the ETag.
    revision: int
    approved: bool
    #: It can be restored for a while.
    deleted: bool
    author: str
    created_at: datetime
    changed_at: datetime
    #: Empty for a topic by invitation: it has no public page.
    page_url: str


@dataclass(frozen=True)
class StoryPage:
    items: list[StoryOut]
    next_cursor: str | None


@dataclass(frozen=True)
class SubscriptionOut:
    topic: str
    state: str
    since: datetime


@dataclass(frozen=True)
class SuppressionOut:
    reason: str
    at: datetime
    from_list: bool


@dataclass(frozen=True)
class TopicList:
    items: list[TopicOut]


@dataclass(frozen=True)
class TopicOut:
    id: UUID
    slug: str
    name: str
    description: str
    position: int
    #: Who can sign up: everybody, who has the link, nobody.
    access: Literal["open", "invited", "retired"]


@dataclass(frozen=True)
class UpdateOut:
    number: int | None
    kind: str
    headline: str
    standfirst: str
    text: str
    note: str
    corrects: list[int]
    language: str
    published_at: datetime | None


@dataclass(frozen=True)
class UpdatePage:
    items: list[UpdateOut]
    next_cursor: str | None


@dataclass(frozen=True)
class WebhookOut:
    id: UUID
    url: str
    events: list[str]
    active: bool
    paused_because: str
    created_at: datetime


@dataclass(frozen=True)
class WebhookPage:
    items: list[WebhookOut]
    next_cursor: str | None


@dataclass(frozen=True)
class WireItemOut:
    """One version of an item, and what became of it."""

    id: UUID
    source: UUID
    source_name: str
    #: As its source names it.
    item_id: str
    version: int | None
    status: str
    urgency: int | None
    headline: str
    language: str
    published_at: datetime | None
    received_at: datetime
    #: The same for all items of one event.
    event: UUID | None
    became: str
    why: str
    #: Whose draft it became.
    story: UUID | None
    #: The id of the rule that decided, if one did.
    rule: int | None


@dataclass(frozen=True)
class WireItemPage:
    items: list[WireItemOut]
    next_cursor: str | None

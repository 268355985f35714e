"""What the exports of other tools look like: by which columns each is known, and what its words mean here.

Headings stand here as `vocabulary.compact` makes them: "List status" is `liststatus`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from morefollows.audience.lists.parsing import vocabulary
from morefollows.audience.models import Reader

State = Reader.State

STATUSES = {
    "confirmed": State.CONFIRMED,
    "active": State.CONFIRMED,
    "enabled": State.CONFIRMED,
    "subscribed": State.CONFIRMED,
    "pending": State.PENDING,
    "unconfirmed": State.PENDING,
    "nonsubscribed": State.PENDING,
    "left": State.LEFT,
    "unsubscribed": State.LEFT,
    "disabled": State.LEFT,
    "blocklisted": State.LEFT,
    "gone": State.GONE,
    "bounced": State.GONE,
    "cleaned": State.GONE,
    "complained": State.COMPLAINED,
}
"""The words that an operator may use for a status."""


class Meaning(Enum):
    """What a column is taken for. The values are what `--column` knows."""

    EMAIL = "email"
    LANGUAGE = "language"
    TOPICS = "topics"
    LISTS = "lists"
    ATTRIBUTES = "attributes"
    STATUS = "status"
    GIVEN_AT = "given_at"
    GIVEN_FROM = "given_from"
    CONFIRMED_AT = "confirmed_at"
    CONFIRMED_FROM = "confirmed_from"
    OPTED_OUT = "opted-out"
    OPTED_IN = "opted-in"
    CONFIRMED = "confirmed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    IGNORE = "ignore"


M = Meaning
DECIDING = frozenset({M.STATUS, M.OPTED_OUT, M.OPTED_IN, M.CONFIRMED, M.BOUNCED, M.COMPLAINED})
"""The meanings that say whether somebody may be mailed."""


@dataclass(frozen=True)
class Export:
    """One tool's export."""

    name: str
    marks: tuple[
        frozenset[str], ...
    ]  #: headings that only this tool's export has; all of one of the sets
    columns: Mapping[str, Meaning]
    beside: frozenset[str] = frozenset()  #: headings of its own that tell nothing about consent
    statuses: Mapping[str, State] = field(
        default_factory=dict
    )  #: words that mean something else than elsewhere
    whole_file: Mapping[str, State] = field(
        default_factory=dict
    )  #: heading → what everybody in such a file is
    must_tell: bool = False  #: an export without any column that says who left is not complete

    def meaning(self, heading: str) -> Meaning | None:
        return self.columns.get(heading)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LISTMONK = Export(
    "listmonk",
    (_words("uuid email attributes"),),
    # `created_at` is when listmonk made the entry; when the reader confirmed, its export does not say.
    {"status": M.STATUS, "createdat": M.GIVEN_AT, "attributes": M.ATTRIBUTES, "lists": M.LISTS}
    | {"subscriptionstatus": M.STATUS},
    _words("uuid id name updatedat"),
    must_tell=True,
)
GHOST = Export(
    "Ghost",
    (_words("email subscribedtoemails createdat"),),
    # A member comes into being by the link in Ghost's own mail: that is a confirmation.
    {"createdat": M.CONFIRMED_AT, "subscribedtoemails": M.OPTED_IN, "emaildisabled": M.OPTED_OUT}
    | {"deletedat": M.OPTED_OUT},
    _words("id name note complimentaryplan stripecustomerid labels tiers"),
)
MAILCHIMP = Export(
    "Mailchimp",
    (_words("optintime confirmtime leid"),),
    {
        "optintime": M.GIVEN_AT,
        "optinip": M.GIVEN_FROM,
        "confirmtime": M.CONFIRMED_AT,
        "confirmip": M.CONFIRMED_FROM,
    },
    _words(
        "firstname lastname address phonenumber birthday company memberrating latitude longitude gmtoff dstoff "
        "timezone cc region lastchanged leid euid notes tags unsubtime unsubcampaigntitle unsubcampaignid unsubreason "
        "unsubreasonother cleantime cleancampaigntitle cleancampaignid zipcode position"
    ),
    # Mailchimp writes a file for each: who is in it has left or bounced, even where the time is missing.
    whole_file={"unsubtime": State.LEFT, "cleantime": State.GONE},
)
MAILPOET = Export(
    "MailPoet",
    (_words("liststatus globalstatus"), _words("subscriptiontime confirmationtime")),
    {
        "liststatus": M.STATUS,
        "globalstatus": M.STATUS,
        "subscriptiontime": M.GIVEN_AT,
        "subscriptionip": M.GIVEN_FROM,
        "confirmationtime": M.CONFIRMED_AT,
        "confirmationip": M.CONFIRMED_FROM,
    },
    _words("firstname lastname list"),
    # MailPoet calls those inactive who have opened nothing for long; it does not mail them, but they did not leave.
    statuses={"inactive": State.PENDING, "trash": State.LEFT},
    must_tell=True,
)
MAILJET = Export(
    "Mailjet",
    (
        _words("email isexcludedfromcampaigns"),
        _words("email isunsubscribed"),
        _words("contactemail isunsubscribed"),
        _words("contactid isunsubscribed"),
        _words("email unsubscribed excludedfromcampaigns"),
    ),
    {
        "isunsubscribed": M.OPTED_OUT,
        "unsubscribed": M.OPTED_OUT,
        "unsubscribedat": M.OPTED_OUT,
        "isexcludedfromcampaigns": M.OPTED_OUT,
        "excludedfromcampaigns": M.OPTED_OUT,
        "isspamcomplaining": M.COMPLAINED,
        "isactive": M.OPTED_IN,
        "subscribedat": M.GIVEN_AT,
        "subscriptiondate": M.GIVEN_AT,
    },
    _words(
        "id contactid listid listname name firstname lastname country createdat lastactivityat lastupdateat "
        "deliveredcount exclusionfromcampaignsupdatedat unsubscribedby"
    ),
)
BREVO = Export(
    "Brevo",
    (_words("email addedtime"), _words("email emailblacklisted"), _words("email emailblocklisted")),
    {
        "emailblacklisted": M.OPTED_OUT,
        "emailblocklisted": M.OPTED_OUT,
        "blacklisted": M.OPTED_OUT,
        "blocklisted": M.OPTED_OUT,
        "unsubscribed": M.OPTED_OUT,
        "addedtime": M.GIVEN_AT,
        "optin": M.OPTED_IN,
        "optintime": M.GIVEN_AT,
        "doubleoptin": M.CONFIRMED,
    },
    _words(
        "contactid extid firstname lastname prenom nom sms whatsapp landlinenumber smsblacklisted smsblocklisted "
        "whatsappblacklisted whatsappblocklisted modifiedtime lastchanged contacttimezone jobtitle"
    ),
    must_tell=True,
)
SUBSTACK = Export(
    "Substack",
    (_words("email activesubscription emaildisabled"),),
    {"emaildisabled": M.OPTED_OUT, "createdat": M.GIVEN_AT},
    _words("activesubscription expiry plan firstpaymentat name stripecustomerid"),
)
BEEHIIV = Export(
    "beehiiv",
    (
        _words("email status tier createdat"),
        _words("email status tier stripecustomerid"),
        _words("email status subscriptiontier"),
        _words("email status premiumtier freetier"),
    ),
    {
        "status": M.STATUS,
        "createdat": M.GIVEN_AT,
        "subscribedat": M.GIVEN_AT,
        "unsubscribedat": M.OPTED_OUT,
    },
    _words(
        "id firstname lastname tier subscriptiontier stripecustomerid freetier premiumtier utmsource utmmedium "
        "utmcampaign referringsite referralcode acquisitionsource subscriptionpremiumtiernames"
    ),
    statuses={"needsattention": State.PENDING, "trialing": State.CONFIRMED},
)
SENDY = Export(
    "Sendy",
    (_words("name email status lastactivity"), _words("email status joined lastactivity")),
    {"status": M.STATUS, "joined": M.GIVEN_AT, "signedup": M.GIVEN_AT},
    _words("name lastactivity country referrer"),
)

PLAIN = Export(
    "CSV",
    (),
    {
        **dict.fromkeys(vocabulary.LANGUAGE, M.LANGUAGE),
        **dict.fromkeys(vocabulary.TOPICS, M.TOPICS),
        **dict.fromkeys(vocabulary.STATUS, M.STATUS),
        **dict.fromkeys(vocabulary.GIVEN_AT, M.GIVEN_AT),
        **dict.fromkeys(vocabulary.GIVEN_FROM, M.GIVEN_FROM),
        **dict.fromkeys(vocabulary.CONFIRMED_AT, M.CONFIRMED_AT),
        **dict.fromkeys(vocabulary.CONFIRMED_FROM, M.CONFIRMED_FROM),
    },
    _words("offers"),  # of our own export: no consent to offers comes in
)

TOOLS = (LISTMONK, GHOST, MAILCHIMP, MAILPOET, MAILJET, SUBSTACK, BEEHIIV, BREVO, SENDY)


def recognised(header: list[str]) -> Export:
    """Whose export has this header; plain CSV if no tool's."""
    names = set(header)
    return next((tool for tool in TOOLS if any(marks <= names for marks in tool.marks)), PLAIN)


def status_by_name(name: str) -> str | None:
    """The status that the name of a file gives everybody in it: nothing else tells Mailchimp's nonsubscribed apart."""
    return "nonsubscribed" if name.lower().startswith("nonsubscribed_") else None

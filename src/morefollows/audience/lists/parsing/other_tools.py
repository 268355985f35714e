"""Exports of other tools: how each is recognised, and what its columns and statuses mean.

Headings are in the form of `vocabulary.compact`: "List status" is `liststatus`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from morefollows.audience.lists.parsing import vocabulary
from morefollows.audience.models import Reader

State = Reader.State

# The words that an operator may use for a status.
STATUSES = {
    "confirmed": State.CONFIRMED,
    "active": State.CONFIRMED,
    "enabled": State.CONFIRMED,
    "subscribed": State.CONFIRMED,
    "pending": State.PENDING,
    "unconfirmed": State.PENDING,
    "nonsubscribed": State.PENDING,
    "left": State.UNSUBSCRIBED,
    "unsubscribed": State.UNSUBSCRIBED,
    "disabled": State.UNSUBSCRIBED,
    "blocklisted": State.UNSUBSCRIBED,
    "hard bounced": State.HARD_BOUNCED,
    "gone": State.HARD_BOUNCED,
    "bounced": State.HARD_BOUNCED,
    "cleaned": State.HARD_BOUNCED,
    "complained": State.COMPLAINED,
}


class ColumnMeaning(Enum):
    """The meaning of a column. The values are those of the option `--column`."""

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


M = ColumnMeaning
# The meanings that say whether somebody may be mailed.
DECIDING = frozenset({M.STATUS, M.OPTED_OUT, M.OPTED_IN, M.CONFIRMED, M.BOUNCED, M.COMPLAINED})


@dataclass(frozen=True)
class Export:
    """The format of one tool's export."""

    name: str
    #: Sets of headings. A file that has all headings of one set comes from this tool.
    marks: tuple[frozenset[str], ...]
    columns: Mapping[str, ColumnMeaning]  #: heading → its meaning
    beside: frozenset[str] = frozenset()  #: the tool's headings that say nothing about consent
    #: Words for a status that have another meaning than in `vocabulary.STATUSES`.
    statuses: Mapping[str, State] = field(default_factory=dict)
    #: Heading → the state of all readers in a file that has it.
    whole_file: Mapping[str, State] = field(default_factory=dict)
    must_tell: bool = False  #: ask if no column says who has unsubscribed

    def meaning(self, heading: str) -> ColumnMeaning | None:
        """The meaning of a heading; None if it has none in this format."""
        return self.columns.get(heading)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LISTMONK = Export(
    "listmonk",
    (_words("uuid email attributes"),),
    # `created_at` is when listmonk stored the subscriber. The export has no time of confirmation.
    {"status": M.STATUS, "createdat": M.GIVEN_AT, "attributes": M.ATTRIBUTES, "lists": M.LISTS}
    | {"subscriptionstatus": M.STATUS},
    _words("uuid id name updatedat"),
    must_tell=True,
)
GHOST = Export(
    "Ghost",
    (_words("email subscribedtoemails createdat"),),
    # Ghost creates a member when the link in its mail is opened, so this is a confirmation.
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
        "firstname lastname address phonenumber birthday company memberrating latitude longitude "
        "gmtoff dstoff timezone cc region lastchanged leid euid notes tags unsubtime "
        "unsubcampaigntitle unsubcampaignid unsubreason unsubreasonother cleantime "
        "cleancampaigntitle cleancampaignid zipcode position"
    ),
    # Mailchimp exports unsubscribed and cleaned contacts as separate files. All contacts in them
    # have left or bounced, even if the time is missing.
    whole_file={"unsubtime": State.UNSUBSCRIBED, "cleantime": State.HARD_BOUNCED},
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
    # MailPoet's "inactive" subscribers have opened no mail for a long time. It does not mail them,
    # but they did not unsubscribe.
    statuses={"inactive": State.PENDING, "trash": State.UNSUBSCRIBED},
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
        "id contactid listid listname name firstname lastname country createdat lastactivityat "
        "lastupdateat deliveredcount exclusionfromcampaignsupdatedat unsubscribedby"
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
        "contactid extid firstname lastname prenom nom sms whatsapp landlinenumber smsblacklisted "
        "smsblocklisted whatsappblacklisted whatsappblocklisted modifiedtime lastchanged "
        "contacttimezone jobtitle"
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
        "id firstname lastname tier subscriptiontier stripecustomerid freetier premiumtier "
        "utmsource utmmedium utmcampaign referringsite referralcode acquisitionsource "
        "subscriptionpremiumtiernames"
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
    _words("offers"),  # in our own export; an import never creates a consent to offers
)

TOOLS = (LISTMONK, GHOST, MAILCHIMP, MAILPOET, MAILJET, SUBSTACK, BEEHIIV, BREVO, SENDY)


def recognised(header: list[str]) -> Export:
    """The tool whose export has this header; `PLAIN` if there is none."""
    names = set(header)
    return next((tool for tool in TOOLS if any(marks <= names for marks in tool.marks)), PLAIN)


def status_by_name(name: str) -> str | None:
    """The status of all readers in a file of this name; None if the name gives none.

    Mailchimp's export of nonsubscribed contacts differs from that of subscribed ones in the name
    only.
    """
    return "nonsubscribed" if name.lower().startswith("nonsubscribed_") else None

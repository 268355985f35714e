"""Events that providers post: `django-anymail` reads them, and checks their signatures.

The address has a secret in its path; it is checked first. An event's address and outcome are
believed then: the provider mailed for us.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from django.http import HttpRequest

from morefollows.config.addresses.intake_address import IntakeAddress
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.intake.reading import dsn_and_arf, reasons
from morefollows.feedback.intake.reading.dsn_and_arf import ReportedRecipient
from morefollows.feedback.intake.reading.reasons import BounceVerdict, Reason
from morefollows.feedback.intake.reading.returned_mail import Kind
from morefollows.feedback.intake.receivers import sns

_MOST_EVENTS = 5000  # in one request
_MOST_JSON = 100_000  # characters of one event
#: What reading JSON of another form raises.
_UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, RecursionError)
_TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{46}(?![0-9a-f])", re.IGNORECASE)
_PERMANENT = re.compile(r'hard_?-?bounce|"permanent"|permanent_?fail|"hard"', re.IGNORECASE)

#: provider → anymail's module, class, and the argument that takes the key of its signature
_VIEWS = {
    "brevo": ("brevo", "BrevoTrackingWebhookView", ""),
    "mailersend": ("mailersend", "MailerSendTrackingWebhookView", "signing_secret"),
    "mailgun": ("mailgun", "MailgunTrackingWebhookView", "webhook_signing_key"),
    "mailjet": ("mailjet", "MailjetTrackingWebhookView", ""),
    "mailtrap": ("mailtrap", "MailtrapTrackingWebhookView", "tracking_secret"),
    "mandrill": ("mandrill", "MandrillCombinedWebhookView", "webhook_key"),
    "postal": ("postal", "PostalTrackingWebhookView", "webhook_key"),
    "postmark": ("postmark", "PostmarkTrackingWebhookView", ""),
    "resend": ("resend", "ResendTrackingWebhookView", ""),
    "sendgrid": (
        *("sendgrid", "SendGridTrackingWebhookView"),
        "tracking_webhook_verification_key",
    ),
    "sparkpost": ("sparkpost", "SparkPostTrackingWebhookView", ""),
    "unisender-go": ("unisender_go", "UnisenderGoTrackingWebhookView", "api_key"),
}
_NEEDS_KEY = ("mailersend", "mailgun", "postal", "mandrill", "unisender-go")


# The secret is in the address. Some views set it to true in their constructor.
_NEVER = property(lambda view: False, lambda view, value: None)


class BadWebhook(ValueError):
    """The request is none of the provider's, or can't be read. ``str()`` says why."""


def events_in(receiver: IntakeAddress, request: HttpRequest) -> list[Arrived]:
    """Returns the events in a request that matter here. Raises `BadWebhook`.

    Events such as openings are left out, and never stored.
    """
    from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure

    try:
        found = list(_events(receiver, request))[:_MOST_EVENTS]
    except AnymailWebhookValidationFailure:
        raise BadWebhook("the signature is wrong") from None
    except (AnymailError, *_UNREADABLE) as error:
        raise BadWebhook(f"it can't be read: {type(error).__name__}") from None
    return [
        Arrived(b"", event=read)
        for event in found
        if (read := _event_fields(receiver.host, event)) is not None
    ]


def _events(receiver: IntakeAddress, request: HttpRequest) -> Iterator[Any]:
    if receiver.host == "ses":
        yield from sns.events(request)
        return
    module, name, argument = _VIEWS[receiver.host]
    key = receiver.options.get("key", "")
    if not key and receiver.host in _NEEDS_KEY:
        raise BadWebhook("the setting has no key= for this provider's signature")
    with warnings.catch_warnings():
        # About an unofficial provider; it is told again with each request.
        warnings.simplefilter("ignore")
        base = getattr(import_module(f"anymail.webhooks.{module}"), name)
        view_class: Callable[..., Any] = type(name, (base,), {"warn_if_no_basic_auth": _NEVER})
    given: dict[str, Any] = {"basic_auth": [], "webhook_secret": []}
    if argument and key:
        given[argument] = key
    if receiver.host == "resend":
        given["signing_secret"] = None
        if key:
            _check_resend(key, request)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        view = view_class(**given)
    view.run_validators(request)
    yield from view.parse_events(request)


def _check_resend(key: str, request: HttpRequest) -> None:
    """Checks a signature of Standard Webhooks. Resend names its header fields otherwise."""
    from standardwebhooks import Webhook
    from standardwebhooks.webhooks import WebhookVerificationError

    names = ("id", "timestamp", "signature")
    headers = {f"webhook-{name}": request.headers.get(f"svix-{name}", "") for name in names}
    try:
        Webhook(key).verify(request.body, headers)
    except WebhookVerificationError:
        raise BadWebhook("the signature is wrong") from None


def _event_fields(provider: str, event: Any) -> dict[str, object] | None:
    """What an event tells, as `actions` stores it; None if it is of no use here."""
    kind, verdict = _kind_of(event)
    if kind is None:
        return None
    smtp_text = _smtp_text(event)
    whole = json.dumps([event.metadata, event.message_id, event.esp_event], default=str)[
        :_MOST_JSON
    ]
    return {
        "provider": provider,
        "id": str(event.event_id or "")[:200],
        "at": event.timestamp.isoformat() if event.timestamp else "",
        "kind": kind.value,
        "reason": verdict.reason.value,
        "sure": verdict.sure,
        "recipient": str(event.recipient or "")[:320],
        "status": dsn_and_arf.status_in(smtp_text),
        "text": smtp_text[:1000],
        "tokens": list(dict.fromkeys(one.lower() for one in _TOKEN.findall(whole)))[:8],
    }


def _kind_of(event: Any) -> tuple[Kind | None, BounceVerdict]:
    nothing = BounceVerdict(Reason.NONE)
    match event.event_type:
        case "bounced" | "failed":
            return Kind.BOUNCE, _verdict(event)
        case "rejected":
            match event.reject_reason:
                case "spam":
                    return Kind.COMPLAINT, nothing
                case "unsubscribed":
                    return Kind.LEAVE, nothing
                case "bounced" | "invalid":
                    return Kind.BOUNCE, BounceVerdict(Reason.HARD)
                case "blocked":
                    return Kind.BOUNCE, BounceVerdict(Reason.POLICY)
            return Kind.BOUNCE, _verdict(event)
        case "deferred":
            return Kind.DELAYED, BounceVerdict(Reason.SOFT)
        case "complained":
            return Kind.COMPLAINT, nothing
        case "unsubscribed":
            return Kind.LEAVE, nothing
        case "autoresponded":
            return Kind.AUTOMATIC, nothing
    return None, nothing


def _verdict(event: Any) -> BounceVerdict:
    smtp_text = _smtp_text(event)
    recipient = ReportedRecipient(
        str(event.recipient or ""),
        status=dsn_and_arf.status_in(smtp_text),
        code=dsn_and_arf.code_in(smtp_text),
        text=smtp_text,
    )
    found = reasons.verdict_on(recipient)
    if found.reason is Reason.UNKNOWN:
        whole = json.dumps(event.esp_event, default=str)[:_MOST_JSON]
        permanent = event.reject_reason == "invalid" or _PERMANENT.search(whole) is not None
        return BounceVerdict(Reason.HARD) if permanent else found
    return found


def _smtp_text(event: Any) -> str:
    return " ".join(str(one) for one in (event.mta_response, event.description) if one)[:2000]

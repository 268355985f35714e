"""Hands one test alert to the first relay, at once: it looks and is signed as a real one.

It goes past the queue, so that it works before readers may be mailed. Its links lead nowhere, and
it is in no count and no thread.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from morefollows.audience.addresses import parse
from morefollows.audience.models import Newsroom, Topic
from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.channels import mailbox
from morefollows.courier.checkup.relay_checks import TIMEOUT
from morefollows.courier.message import alert, dkim
from morefollows.courier.message.compose import compose
from morefollows.courier.message.content import Letterhead
from morefollows.courier.message.template import LENGTHS, Slot, renderer
from morefollows.stories.models import Story, Update

KINDS = ("smtp", "smtps")


class TrialResult(NamedTuple):
    """What became of it."""

    taken: bool
    message: str
    seconds: float = 0.0


def send_trial_alert(address: str, *, first: bool) -> TrialResult:
    """Composes, signs and hands over. Raises `addresses.BadAddress`.

    `first`: whether it is that of the first run, and its headline says so.
    """
    config = settings.MOREFOLLOWS
    relay = config.relays_or_inbox[0]
    if relay.scheme not in KINDS:
        return TrialResult(False, _("This kind of relay can’t be tried here."))
    to = parse(address)
    newsroom = Newsroom.objects.get(pk=1)
    with translation.override(newsroom.language):
        headline = _("It works: your first alert") if first else _("Test: your alerts’ look")
        message = _composed(newsroom, to.text, headline)
    recipient, utf8 = mailbox(to.text, to.domain)
    began = time.monotonic()
    try:
        with _signed_in(relay, config.helo or socket.getfqdn()) as server:
            options = ["SMTPUTF8"] if utf8 else []
            sender = config.bounce_domain or newsroom.sender_address.rpartition("@")[2]
            server.sendmail(
                f"test@{sender}" if config.bounce_domain else newsroom.sender_address,
                [recipient.decode()],
                message,
                options,
            )
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        return TrialResult(False, f"{code} {text.decode('utf-8', 'replace')}")
    except smtplib.SMTPResponseException as error:
        return TrialResult(False, _error_text(error, relay))
    except (OSError, smtplib.SMTPException) as error:
        return TrialResult(False, str(error) or type(error).__name__)
    return TrialResult(True, relay.name, time.monotonic() - began)


def _composed(newsroom: Newsroom, address: str, headline: str) -> bytes:
    story = Story(
        uuid=uuid.uuid4(),
        headline=headline,
        standfirst=_("This is how your alerts look."),
        text=_("Only you have received this. Its links lead nowhere yet."),
        language=newsroom.language,
        topic=Topic.objects.first(),
        created_at=timezone.now(),
    )
    draft = Update(
        story=story,
        kind=Update.Kind.FIRST,
        headline=story.headline,
        standfirst=story.standfirst,
        text=story.text,
        language=newsroom.language,
    )
    head = Letterhead.new()
    composed = compose(alert.content(head, draft, story.topic, time.time(), "alert-test"), head)
    # As long as real values: lines were measured with that length.
    values = [b"test".ljust(LENGTHS[slot], b"-") for slot in Slot]
    values[Slot.ADDRESS] = address.encode("ascii", "replace")
    values[Slot.RECEIPT] = (
        uuid.uuid4().hex.encode().ljust(LENGTHS[Slot.RECEIPT], b"-")[: LENGTHS[Slot.RECEIPT]]
    )
    values[Slot.REFERENCES], values[Slot.REPLY] = b"", b"test@example.org"
    return b"".join(renderer(composed, dkim.signers(settings.MOREFOLLOWS))(values))


@contextlib.contextmanager
def _signed_in(relay: RelayAddress, helo: str) -> Iterator[smtplib.SMTP]:
    """A connection to the relay, with TLS and signed in as its address says.

    Raises `OSError` or `smtplib.SMTPException`.
    """
    context = ssl.create_default_context()
    if not relay.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    make: Callable[[], smtplib.SMTP]
    if relay.implicit_tls:
        make = lambda: smtplib.SMTP_SSL(  # noqa: E731
            relay.host, relay.port, helo, timeout=TIMEOUT, context=context
        )
    else:
        make = lambda: smtplib.SMTP(relay.host, relay.port, helo, timeout=TIMEOUT)  # noqa: E731
    with contextlib.closing(make()) as server:
        server.ehlo_or_helo_if_needed()
        offered = server.has_extn("starttls")
        if (
            not relay.implicit_tls
            and relay.starttls != "never"
            and (offered or relay.starttls == "require")
        ):
            server.starttls(context=context)
            # What the relay said before TLS is void (RFC 3207 §4.2).
            server.ehlo()
        if relay.user:
            server.login(relay.user, relay.password)
        yield server
        # The mail is taken: what comes of QUIT changes nothing (RFC 5321 §4.1.1.10).
        with contextlib.suppress(smtplib.SMTPException):
            server.quit()


def _error_text(error: smtplib.SMTPResponseException, relay: RelayAddress) -> str:
    """Returns the relay's reply with our password masked: some relays repeat what they got."""
    text = error.smtp_error
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if relay.password:
        words = words.replace(relay.password, "…")
    return f"{error.smtp_code} {' '.join(words.split())}"

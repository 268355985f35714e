"""Mails that came back, in the formats of many systems and in many languages, with what they are.

All people, hosts and newsrooms are fictional. The formats are those of the systems named.
"""

from __future__ import annotations

import base64
import quopri
from email.header import Header
from typing import NamedTuple

CY = "cy@reader.example"
ALERT = (
    "Return-Path: <b+00@bounces.herald.example>\n"
    "Received: from mail.herald.example by mx.reader.example; Mon, 2 Nov 2026 14:05:11 +0000\n"
    "From: The Harbour Herald <alerts@herald.example>\nTo: <cy@reader.example>\n"
    "Subject: Harbour bridge closed\nMessage-ID: <00@herald.example>\n"
)


class Sample(NamedTuple):
    """A mail, and what it is. `expected`: kind, reason, and the recipient if it tells one."""

    name: str
    raw: bytes
    kind: str
    reason: str
    recipient: str


SAMPLES: list[Sample] = []


def add(name: str, text: str, expected: str, recipient: str = CY) -> None:
    kind, _space, reason = expected.partition(" ")
    raw = text.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    SAMPLES.append(Sample(name, raw, kind, reason, recipient))


def head(sender: str, subject: str, more: str = "", kind: str = "text/plain") -> str:
    if not subject.isascii():
        subject = Header(subject, "utf-8", header_name="Subject").encode(linesep="\n")
    sender = sender if sender.isascii() else Header(sender, "utf-8").encode()
    return (
        f"From: {sender}\nTo: b+00@bounces.herald.example\nSubject: {subject}\n"
        f"Date: Mon, 2 Nov 2026 14:05:12 +0000\nMIME-Version: 1.0\n{more}"
        f"Content-Type: {kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )


def dsn(
    text: str,
    status: str,
    diagnostic: str,
    *,
    action: str = "failed",
    to: str = CY,
    sender: str = "MAILER-DAEMON@mx.reader.example (Mail Delivery System)",
    subject: str = "Undelivered Mail Returned to Sender",
    reporter: str = "dns; mx.reader.example",
    final: str = "rfc822",
    more: str = "",
    returned: str = ALERT,
    returned_as: str = "text/rfc822-headers",
    report: str = "delivery-status",
    prefix: str = "message",
) -> str:
    """A report of RFC 3464."""
    if not subject.isascii():
        subject = Header(subject, "utf-8", header_name="Subject").encode(linesep="\n")
    said = f"Diagnostic-Code: {diagnostic}\n" if diagnostic else ""
    code = f"Status: {status}\n" if status else ""
    return (
        f"From: {sender}\nTo: b+00@bounces.herald.example\nSubject: {subject}\n"
        "Date: Mon, 2 Nov 2026 14:05:12 +0000\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={report};\n\tboundary="=_b0/1"\n\n'
        f"This is a MIME-encapsulated message.\n\n--=_b0/1\n"
        f"Content-Type: text/plain; charset=utf-8\n\n{text}\n\n"
        f"--=_b0/1\nContent-Type: {prefix}/{'global-' if final == 'utf-8' else ''}{report}\n\n"
        f"Reporting-MTA: {reporter}\n\n{more}Final-Recipient: {final}; {to}\n"
        f"Action: {action}\n{code}{said}\n"
        f"--=_b0/1\nContent-Type: {returned_as}\n\n{returned}\n--=_b0/1--\n"
    )


# -- reports of RFC 3464, by system and by what the remote host said -------------------------------

_POSTFIX = (
    "This is the mail system at host mx.herald.example.\n\nI'm sorry to have to inform you that "
    "your message could not\nbe delivered to one or more recipients. It's attached below.\n\n"
    "For further assistance, please send mail to postmaster.\n\n<cy@reader.example>: {}"
)
for _name, _status, _said, _is in (
    (
        "user-unknown",
        "5.1.1",
        "550 5.1.1 <cy@reader.example>: Recipient address rejected: User unknown in virtual mailbox table",
        "hard",
    ),
    (
        "unverified",
        "5.1.1",
        "550 5.1.1 <cy@reader.example>: Recipient address rejected: undeliverable address: unknown user",
        "hard",
    ),
    (
        "gmail-unknown",
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces.",
        "hard",
    ),
    (
        "gmail-disabled",
        "5.2.1",
        "550-5.2.1 The email account that you tried to reach is disabled. Learn more",
        "hard",
    ),
    (
        "gmail-full",
        "5.2.2",
        "552-5.2.2 The recipient's inbox is out of storage space. Please direct the 552 5.2.2 recipient to their storage page",
        "full",
    ),
    (
        "gmail-policy",
        "5.7.26",
        "550-5.7.26 This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.",
        "other",
    ),
    (
        "gmail-spam",
        "5.7.1",
        "550-5.7.1 [192.0.2.1 12] Gmail has detected that this message is likely unsolicited mail.",
        "spam",
    ),
    (
        "gmail-rate",
        "4.7.28",
        "421-4.7.28 Gmail has detected an unusual rate of mail originating from your IP",
        "soft",
    ),
    (
        "outlook-unknown",
        "5.5.0",
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
        "hard",
    ),
    (
        "m365-dbeb",
        "5.4.1",
        "550 5.4.1 Recipient address rejected: Access denied. [mx.protection.example 2026-11-02]",
        "hard",
    ),
    (
        "m365-unknown",
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient cy@reader.example not found by SMTP address lookup",
        "hard",
    ),
    ("m365-blocked", "5.7.606", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "spam"),
    (
        "outlook-blocklist",
        "5.7.1",
        "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your provider since part of their network is on our block list (S3140).",
        "spam",
    ),
    (
        "m365-auth",
        "5.7.515",
        "550 5.7.515 Access denied, sending domain herald.example does not meet the required authentication level.",
        "policy",
    ),
    (
        "m365-full",
        "5.2.2",
        "554 5.2.2 mailbox full; STOREDRV.Deliver; mailbox full. The mailbox has exceeded its quota",
        "full",
    ),
    (
        "m365-restricted",
        "5.7.133",
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
        "policy",
    ),
    ("m365-loop", "5.4.14", "554 5.4.14 Hop count exceeded - possible mail loop ATTR34", "soft"),
    (
        "yahoo-unknown",
        "5.0.0",
        "554 delivery error: dd This user doesn't have a yahoo.example account (cy@reader.example) [-5]",
        "hard",
    ),
    (
        "yahoo-disabled",
        "5.0.0",
        "554 delivery error: dd Sorry, your message to cy@reader.example cannot be delivered. This mailbox is disabled (554.30).",
        "hard",
    ),
    ("yahoo-dmarc", "5.7.9", "554 5.7.9 Message not accepted for policy reasons.", "policy"),
    (
        "yahoo-tss",
        "4.7.0",
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
        "soft",
    ),
    (
        "aol-unknown",
        "5.1.1",
        "550 5.1.1 <cy@reader.example>: Recipient address rejected: aol.example",
        "hard",
    ),
    (
        "gmx-unknown",
        "5.0.0",
        "550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.example/",
        "hard",
    ),
    ("gmx-policy", "5.0.0", "554 Transaction failed Reject due to policy restrictions.", "policy"),
    (
        "webde-full",
        "5.2.2",
        "552 Requested mail action aborted: exceeded storage allocation. Quota exceeded",
        "full",
    ),
    (
        "t-online-unknown",
        "5.1.1",
        "550 5.1.1 <cy@reader.example>: User unknown / Benutzer unbekannt",
        "hard",
    ),
    ("freenet", "5.0.0", "550 inactive user", "hard"),
    (
        "orange",
        "5.1.1",
        "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
        "hard",
    ),
    ("laposte", "5.0.0", "550 5.5.0 Boite du destinataire pleine. Recipient overquota.", "full"),
    ("free-fr", "5.1.1", "550 5.1.1 <cy@reader.example>: utilisateur inconnu", "hard"),
    ("libero", "5.1.1", "550 5.1.1 utente sconosciuto", "hard"),
    ("tim-full", "5.2.2", "552 5.2.2 casella di posta piena", "full"),
    ("telefonica", "5.1.1", "550 5.1.1 El usuario no existe", "hard"),
    ("uol", "5.1.1", "550 5.1.1 <cy@reader.example>: usuário desconhecido", "hard"),
    (
        "mailru",
        "5.0.0",
        "550 Message was not accepted -- invalid mailbox. Local mailbox cy@reader.example is unavailable: user not found",
        "hard",
    ),
    ("yandex", "5.7.1", "550 5.7.1 No such user!", "hard"),
    ("yandex-spam", "5.7.1", "554 5.7.1 Message rejected under suspicion of SPAM", "spam"),
    ("rambler-full", "5.2.2", "552 5.2.2 Почтовый ящик переполнен", "full"),
    ("wp-pl", "5.1.1", "550 5.1.1 Nie ma takiego użytkownika; adres nie istnieje", "hard"),
    ("seznam", "5.1.1", "550 5.1.1 sorry, no mailbox here by that name (#5.1.1)", "hard"),
    ("docomo", "5.0.0", "550 Unknown user cy@reader.example", "hard"),
    ("qq-unknown", "5.0.0", "550 Mailbox unavailable or access denied. 用户不存在", "hard"),
    ("163-spam", "5.0.0", "554 DT:SPM 垃圾邮件 mx.163.example", "spam"),
    ("naver", "5.1.1", "550 5.1.1 사용자가 존재하지 않습니다", "hard"),
    ("icloud-full", "5.2.2", "552 5.2.2 <cy@reader.example>: user is over quota", "full"),
    ("icloud-policy", "5.7.1", "554 5.7.1 [CS01] Message rejected due to local policy.", "policy"),
    (
        "proofpoint",
        "5.7.1",
        "554 Blocked - see https://ipcheck.proofpoint.example/?ip=192.0.2.1",
        "policy",
    ),
    ("mimecast", "5.7.1", "550 Administrative prohibition - envelope blocked", "policy"),
    (
        "barracuda",
        "5.0.0",
        "554 Service unavailable; Client host [192.0.2.1] blocked using Barracuda Reputation",
        "spam",
    ),
    (
        "spamhaus",
        "5.7.1",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.example",
        "spam",
    ),
    (
        "ironport",
        "5.0.0",
        "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
        "spam",
    ),
    ("too-large", "5.3.4", "552 5.3.4 Message size exceeds fixed limit", "policy"),
    ("relay-denied", "5.7.1", "554 5.7.1 <cy@reader.example>: Relay access denied", "policy"),
    (
        "greylisted",
        "4.2.0",
        "450 4.2.0 <cy@reader.example>: Recipient address rejected: Greylisted, see http://postgrey.example",
        "soft",
    ),
    ("disk", "4.3.1", "452 4.3.1 Insufficient system storage", "full"),
    ("timeout", "4.4.1", "", "soft"),
    ("refused", "4.4.1", "connect to mx.reader.example[192.0.2.9]:25: Connection refused", "soft"),
    (
        "no-host",
        "5.4.4",
        "Host or domain name not found. Name service error for name=reader.example type=A: Host not found",
        "hard",
    ),
    ("null-mx", "5.1.0", "Domain reader.example does not accept mail (nullMX)", "hard"),
    ("loops", "5.4.6", "mail for reader.example loops back to myself", "soft"),
    (
        "sieve",
        "5.7.1",
        "550 5.7.1 <cy@reader.example> The message was refused by the recipient's mail filtering program",
        "policy",
    ),
    ("utf8", "5.6.7", "SMTPUTF8 is required, but was not offered by host mx", "policy"),
    ("dkim", "5.7.20", "550 5.7.20 No passing DKIM signature found", "policy"),
    ("tls", "4.7.5", "Server certificate not trusted", "soft"),
):
    _reason = "policy" if _is == "other" else _is
    add(
        f"postfix-{_name}",
        dsn(
            _POSTFIX.format(_said or "connect to mx: Connection timed out"),
            _status,
            f"smtp; {_said}" if _said else "",
        ),
        f"bounce {_reason}",
    )

for _name, _text, _subject, _sender in (
    (
        "delayed",
        "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nYour message could not be delivered for more than 0 hour(s). It will be retried until it is 5 day(s) old.",
        "Delayed Mail (still being retried)",
        "MAILER-DAEMON@mx.example (Mail Delivery System)",
    ),
    (
        "delayed-gmail",
        "Delivery incomplete. There was a temporary problem delivering your message to cy@reader.example. Gmail will retry for 46 more hours.",
        "Delivery Status Notification (Delay)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
    ),
    (
        "delayed-exchange",
        "Die Übermittlung an folgende Empfänger verzögert sich.",
        "Zustellung verzögert: Harbour bridge closed",
        "postmaster@reader.example",
    ),
    (
        "delayed-sendmail",
        "**********************************************\n**      THIS IS A WARNING MESSAGE ONLY      **\n**********************************************",
        "Warning: could not send message for past 4 hours",
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
    ),
):
    add(
        _name,
        dsn(_text, "4.4.1", "", action="delayed", subject=_subject, sender=_sender),
        "delayed soft",
    )

add(
    "delivered",
    dsn(
        "Your message was successfully delivered.",
        "2.0.0",
        "",
        action="delivered",
        subject="Successful Mail Delivery Report",
    ),
    "delivered ",
)
add(
    "relayed",
    dsn(
        "Relayed to a host that sends no reports.", "2.6.0", "", action="relayed", subject="Relayed"
    ),
    "delivered ",
)
add(
    "sendmail",
    dsn(
        "   ----- The following addresses had permanent fatal errors -----\n<cy@reader.example>\n"
        "    (reason: 550 5.1.1 User unknown)\n\n   ----- Transcript of session follows -----\n"
        "... while talking to mx.reader.example.:\n>>> DATA\n<<< 550 5.1.1 User unknown",
        "5.1.1",
        "SMTP; 550 5.1.1 User unknown",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@relay.example>",
        subject="Returned mail: see transcript for details",
        returned_as="message/rfc822",
    ),
    "bounce hard",
)
add(
    "dsn-forwarded",
    dsn(
        "Forwarded mail bounced.",
        "5.1.1",
        "smtp; 550 5.1.1 no such user",
        to="old@elsewhere.example",
        more="Original-Recipient: rfc822; cy@reader.example\n",
    ),
    "bounce hard",
)
add(
    "dsn-international",
    dsn(
        "Die Adresse gibt es nicht.",
        "5.1.1",
        "smtp; 550 5.1.1 unknown",
        to=r"j\x{F6}rg@reader.example",
        final="utf-8",
        returned="From: alerts@herald.example\nTo: <jörg@reader.example>\n",
    ),
    "bounce hard",
    "jörg@reader.example",
)
add(
    "dsn-xtext",
    dsn(
        "x",
        "5.1.1",
        "",
        more="Original-Recipient: rfc822;cy+2Bnews@reader.example\n",
        returned="Subject: x\n",
    ).replace("cy+2Bnews", "cy+news"),
    "bounce hard",
    "cy+news@reader.example",
)
add(
    "dsn-opensmtpd",
    dsn(
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\ncy@reader.example: 524 5.2.4 <cy@reader.example>: Mailing list expansion problem",
        "5.2.4",
        "",
        sender="Mailer Daemon <MAILER-DAEMON@open.example>",
        subject="Delivery status notification: error",
    ),
    "bounce hard",
)
add(
    "dsn-exim",
    dsn(
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  cy@reader.example\n    Unrouteable address",
        "5.0.0",
        "",
        sender="Mail Delivery System <Mailer-Daemon@exim.example>",
        subject="Mail delivery failed: returning message to sender",
    ),
    "bounce hard",
)
add(
    "dsn-exim-quota",
    dsn(
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  cy@reader.example\n    mailbox is full: retry timeout exceeded",
        "5.0.0",
        "",
        sender="Mail Delivery System <Mailer-Daemon@exim.example>",
        subject="Mail delivery failed: returning message to sender",
    ),
    "bounce full",
)
add(
    "dsn-dovecot-full",
    dsn(
        "Your message to <cy@reader.example> was automatically rejected:\nQuota exceeded (mailbox for user is full)",
        "5.2.2",
        "",
        sender="Mail Delivery Subsystem <postmaster@dove.example>",
        subject="Rejected: Harbour bridge closed",
    ),
    "bounce full",
)
add(
    "dsn-dovecot-sieve",
    dsn(
        "Your message to <cy@reader.example> was automatically rejected:\nNo news please",
        "5.7.1",
        "smtp; 550 5.7.1 rejected",
        sender="Mail Delivery Subsystem <postmaster@dove.example>",
        subject="Automatically rejected mail",
    ),
    "bounce policy",
)
add(
    "dsn-james",
    dsn(
        "Hi. This is the James mail server at james.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\ncy@reader.example",
        "5.0.0",
        "X-James; 550 5.1.1 no such user here",
        subject="Re:Harbour bridge closed",
    ),
    "bounce hard",
)
add(
    "dsn-no-blank-line",
    dsn("failed", "5.1.1", "smtp; 550 5.1.1 no such user")
    .replace("mx.reader.example\r\n\r\nFinal", "mx.reader.example\r\nFinal")
    .replace("mx.reader.example\n\nFinal", "mx.reader.example\nFinal"),
    "bounce hard",
)
add("dsn-no-status", dsn("failed", "", "smtp; 550 5.1.1 User unknown"), "bounce hard")
add(
    "dsn-inline",
    head("postmaster@odd.example", "Delivery failure")
    + "Your message was not delivered.\n\nReporting-MTA: dns; odd.example\n\nFinal-Recipient: rfc822; cy@reader.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 unknown user\n",
    "bounce hard",
)
add(
    "dsn-expired",
    dsn("A message could not be delivered within 5 days.", "4.4.7", "smtp; delivery time expired"),
    "bounce soft",
)
add(
    "dsn-expired-5",
    dsn("delivery time expired", "5.4.7", "X-Postfix; delivery expired (message too old)"),
    "bounce soft",
)
add(
    "dsn-folded",
    dsn("x", "5.0.0", "smtp; 550-The account\n\tthat you tried to reach\n\tdoes not exist"),
    "bounce hard",
)
add(
    "dsn-base64",
    dsn("x", "5.1.1", "smtp; 550 no such user").replace(
        "Content-Type: text/plain; charset=utf-8\n\nx",
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
        + base64.b64encode("Der Empfänger ist unbekannt".encode()).decode(),
    ),
    "bounce hard",
)

# -- bounces in prose ------------------------------------------------------------------------------

_BACK = (
    "\n------ This is a copy of the message, including all the headers. ------\n\n"
    + ALERT
    + "\nIt is.\n"
)
_QMAIL = (
    "Hi. This is the qmail-send program at mail.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<cy@reader.example>:\n{}\n\n--- Below this line is a copy of the message.\n\n"
    + ALERT
)
for _name, _said, _is in (
    (
        "unknown",
        "192.0.2.9 does not like recipient.\nRemote host said: 550 5.1.1 unknown user account\nGiving up on 192.0.2.9.",
        "hard",
    ),
    ("no-mailbox", "Sorry, no mailbox here by that name. (#5.1.1)", "hard"),
    ("no-host", "Sorry, I couldn't find any host named reader.example. (#5.1.2)", "hard"),
    ("full", "The users mailfolder is over the allowed quota (size). (#5.2.2)", "full"),
    ("vpopmail-full", "user is over quota", "full"),
    (
        "spam",
        "192.0.2.9 failed after I sent the message.\nRemote host said: 554 5.7.1 rejected as spam",
        "spam",
    ),
    (
        "relay",
        "192.0.2.9 does not like recipient.\nRemote host said: 553 sorry, that domain isn't in my list of allowed rcpthosts; relaying denied (#5.7.1)",
        "policy",
    ),
    (
        "too-long",
        "I'm not going to try again; this message has been in the queue too long.\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)",
        "soft",
    ),
):
    add(
        f"qmail-{_name}",
        head("MAILER-DAEMON@mail.example", "failure notice") + _QMAIL.format(_said),
        f"bounce {_is}",
    )

_EXIM = (
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  cy@reader.example\n    {}\n"
    + _BACK
)
for _name, _said, _is in (
    ("unrouteable", "Unrouteable address", "hard"),
    (
        "unknown",
        "SMTP error from remote mail server after RCPT TO:<cy@reader.example>:\n    host mx.reader.example [192.0.2.9]: 550 No such user here",
        "hard",
    ),
    ("quota", "mailbox is full (MTA-imposed quota exceeded while writing to file)", "full"),
    (
        "spam",
        "SMTP error from remote mail server after end of data:\n    host mx.reader.example [192.0.2.9]: 550 This message was classified as SPAM",
        "spam",
    ),
    ("timeout", "retry timeout exceeded", "soft"),
    (
        "policy",
        "SMTP error from remote mail server after MAIL FROM:<>:\n    host mx [192.0.2.9]: 550 5.7.1 sender rejected by policy",
        "policy",
    ),
    (
        "all-hosts",
        "all hosts for 'reader.example' have been failing for a long time (and retry time not reached)",
        "soft",
    ),
):
    add(
        f"exim-{_name}",
        head(
            "Mail Delivery System <Mailer-Daemon@exim.example>",
            "Mail delivery failed: returning message to sender",
            "X-Failed-Recipients: cy@reader.example\nAuto-Submitted: auto-replied\n",
        )
        + _EXIM.format(_said),
        f"bounce {_is}",
    )
add(
    "exim-warning",
    head(
        "Mail Delivery System <Mailer-Daemon@exim.example>",
        "Warning: message 1aB2cD-0000 delayed 24 hours",
    )
    + "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on exim.example.\n\nThe address to which the message has not yet been delivered is:\n\n  cy@reader.example\n    Delay reason: connection refused\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n",
    "delayed soft",
)

for _name, _sender, _subject, _text, _is in (
    (
        "exchange-5.5",
        "System Administrator <postmaster@reader.example>",
        "Undeliverable: Harbour bridge closed",
        "Your message\n\n  To:      cy@reader.example\n  Subject: Harbour bridge closed\n  Sent:    Mon, 2 Nov 2026 14:05:11 +0000\n\ndid not reach the following recipient(s):\n\ncy@reader.example on Mon, 2 Nov 2026 14:05:12 +0000\n    The e-mail account does not exist at the organization this message was\n    sent to.  Check the e-mail address.\n        <mx.reader.example #5.1.1>\n",
        "hard",
    ),
    (
        "exchange-2003-de",
        "Systemadministrator <postmaster@reader.example>",
        "Unzustellbar: Harbour bridge closed",
        "Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.\n\n      Betreff:    Harbour bridge closed\n\nFolgende(r) Empfänger konnte(n) nicht erreicht werden:\n\n      cy@reader.example am 02.11.2026 14:05\n            Das E-Mail-Konto existiert nicht in der Organisation, an die diese Nachricht gesendet wurde.\n            <mx.reader.example #5.1.1>\n",
        "hard",
    ),
    (
        "exchange-2003-fr",
        "Administrateur système <postmaster@reader.example>",
        "Non remis : Harbour bridge closed",
        "Votre message n'est pas parvenu à certains ou à tous ses destinataires.\n\nImpossible de contacter le(s) destinataire(s) suivant(s) :\n\n      cy@reader.example le 02/11/2026 14:05\n            Le compte de messagerie n'existe pas dans l'organisation.\n            <mx.reader.example #5.1.1>\n",
        "hard",
    ),
    (
        "exchange-es",
        "Administrador del sistema <postmaster@reader.example>",
        "No se puede entregar: Harbour bridge closed",
        "No se pudo entregar el mensaje a los destinatarios siguientes:\n\n  cy@reader.example\n  La dirección de correo no se ha encontrado. #5.1.1\n",
        "hard",
    ),
    (
        "exchange-it",
        "Amministratore sistema <postmaster@reader.example>",
        "Impossibile recapitare: Harbour bridge closed",
        "Il messaggio non è stato recapitato ai seguenti destinatari:\n\n  cy@reader.example\n  La casella di posta del destinatario è piena.\n",
        "full",
    ),
    (
        "exchange-nl",
        "Systeembeheerder <postmaster@reader.example>",
        "Onbestelbaar: Harbour bridge closed",
        "Uw bericht is niet bezorgd bij:\n\n  cy@reader.example\n  Het e-mailadres is niet gevonden. De geadresseerde is onbekend.\n",
        "hard",
    ),
    (
        "exchange-sv",
        "Systemadministratör <postmaster@reader.example>",
        "Går inte att leverera: Olevererbart: Harbour bridge closed",
        "Leveransen till följande mottagare misslyckades:\n\n  cy@reader.example\n  Adressen hittades inte.\n",
        "hard",
    ),
    (
        "exchange-ru",
        "Системный администратор <postmaster@reader.example>",
        "Недоставлено: Harbour bridge closed",
        "Ваше сообщение не доставлено следующим получателям:\n\n  cy@reader.example\n  Адрес получателя не найден. #5.1.1\n",
        "hard",
    ),
    (
        "exchange-ja",
        "システム管理者 <postmaster@reader.example>",
        "配信不能: Harbour bridge closed",
        "次の受信者に配信できませんでした:\n\n  cy@reader.example\n  メールアドレスが見つかりませんでした。\n  アドレスは存在しません。\n",
        "hard",
    ),
    (
        "exchange-zh",
        "系统管理员 <postmaster@reader.example>",
        "未送达: Harbour bridge closed",
        "您的邮件无法送达以下收件人:\n\n  cy@reader.example\n  收件人不存在。\n",
        "hard",
    ),
    (
        "exchange-pl",
        "postmaster@reader.example",
        "Nie można dostarczyć: Harbour bridge closed",
        "Nie można dostarczyć wiadomości do:\n\n  cy@reader.example\n  Adres e-mail nie istnieje.\n",
        "hard",
    ),
    (
        "exchange-pt",
        "postmaster@reader.example",
        "Não entregue: Harbour bridge closed",
        "Não foi possível entregar a mensagem a:\n\n  cy@reader.example\n  O endereço de e-mail não foi encontrado.\n",
        "hard",
    ),
    (
        "outlook-html",
        "Microsoft Outlook <MicrosoftExchange329e71ec@reader.example>",
        "Undeliverable: Harbour bridge closed",
        "Your message to cy@reader.example couldn't be delivered.\n\ncy wasn't found at reader.example.\n\n550 5.1.10 RESOLVER.ADR.RecipientNotFound\n",
        "hard",
    ),
    (
        "gmx-de",
        "Mail Delivery System <mailer-daemon@gmx.example>",
        "Mail konnte nicht zugestellt werden / Undelivered Mail",
        "Diese E-Mail wurde automatisch erzeugt.\n\nDie von Ihnen versandte Nachricht konnte nicht zugestellt werden. Der nachfolgende Empfänger hat den Empfang verweigert:\n\ncy@reader.example:\nHost mx.reader.example, 550 Postfach existiert nicht\n",
        "hard",
    ),
    (
        "gmx-voll",
        "GMX Mailer Daemon <mailer-daemon@gmx.example>",
        "Mail delivery failed: returning message to sender",
        "Eine Nachricht, die Sie versandt haben, konnte nicht zugestellt werden:\n\ncy@reader.example\nDas Postfach des Empfängers ist voll.\n",
        "full",
    ),
    (
        "t-online",
        "Mailer-Daemon <mailer-daemon@t-mail.example>",
        "Ihre E-Mail war unzustellbar",
        "Ihre Nachricht an cy@reader.example konnte nicht zugestellt werden.\nDer Empfänger ist unbekannt.\n",
        "hard",
    ),
    (
        "orange-fr",
        "MAILER-DAEMON@orange.example",
        "Échec de la remise : Harbour bridge closed",
        "Votre message n'a pas pu être remis à :\n\ncy@reader.example\n\nAdresse inconnue.\n",
        "hard",
    ),
    (
        "correo-lleno",
        "MAILER-DAEMON@correo.example",
        "Mensaje devuelto: error de entrega",
        "No se ha podido entregar su mensaje a cy@reader.example\nEl buzón está lleno.\n",
        "full",
    ),
    (
        "lotus",
        "Postmaster@notes.example",
        "DELIVERY FAILURE: User cy (cy@reader.example) not listed in Domino Directory",
        "Your message\n\n  Subject: Harbour bridge closed\n\nwas not delivered to:\n\n  cy@reader.example\n\nbecause:\n\n  User cy (cy@reader.example) not listed in Domino Directory\n",
        "hard",
    ),
    (
        "groupwise",
        "Mail Admin <postmaster@gw.example>",
        "Message status - undeliverable",
        "The message that you sent was undeliverable to the following:\n\tcy (cy@reader.example: user not found)\n",
        "hard",
    ),
    (
        "yahoo-prose",
        "MAILER-DAEMON@yahoo.example",
        "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<cy@reader.example>:\nRemote host said:\n554 delivery error: dd This user doesn't have a yahoo.example account [RCPT_TO]\n\n--- Below this line is a copy of the message.\n\n"
        + ALERT,
        "hard",
    ),
    (
        "aol-prose",
        "Mail Delivery Subsystem <MAILER-DAEMON@aol.example>",
        "Returned mail: User unknown",
        "The original message was received at Mon, 2 Nov 2026 14:05:11\n\n   ----- The following addresses had permanent fatal errors -----\n<cy@reader.example>\n\n   ----- Transcript of session follows -----\n550 cy@reader.example... User unknown\n",
        "hard",
    ),
    (
        "mdaemon",
        "MAILER-DAEMON@md.example",
        "Permanent Delivery Failure",
        "The attached message had PERMANENT fatal delivery errors!\n\nFailed address: cy@reader.example\n\n--- Session Transcript ---\n <-- 550 <cy@reader.example>: Recipient unknown\n",
        "hard",
    ),
    (
        "imail",
        "Postmaster <postmaster@imail.example>",
        "Undeliverable Mail",
        "Unknown user: cy@reader.example\n\nOriginal message follows.\n\n" + ALERT,
        "hard",
    ),
    (
        "mercury",
        "Postmaster@mercury.example",
        "Postmaster Notify: Delivery Failure",
        "This is a report. The following addresses failed:\n\n  <cy@reader.example>  *** No such local user\n",
        "hard",
    ),
    (
        "courier",
        '"Courier mail server at c.example" <MAILER-DAEMON@c.example>',
        "NOTICE: mail delivery status.",
        "This is a delivery status notification from c.example.\n\nThe original message was received from mail.herald.example.\n\nUNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<cy@reader.example>:\n    mx.reader.example [192.0.2.9]:\n>>> RCPT TO:<cy@reader.example>\n<<< 550 User unknown.\n",
        "hard",
    ),
    (
        "xmail",
        "postmaster@xmail.example",
        "Error sending message [1.xmail.example] from [herald.example]",
        "[<00>] XMail bounce: Rcpt=[cy@reader.example];Error=[554 5.1.1 <cy@reader.example> account not found]\n\n[<01>] The remote host said: 550 no such user\n",
        "hard",
    ),
    (
        "mailenable",
        "Postmaster <postmaster@me.example>",
        "Message Delivery Failure",
        "MailEnable: Message could not be delivered to some recipients.\n\nMessage could not be delivered to: [SMTP:cy@reader.example]\nReason: The mailbox is unavailable: account is disabled\n",
        "hard",
    ),
    (
        "zimbra",
        "MAILER-DAEMON@zimbra.example (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host zimbra.example.\n\n<cy@reader.example>: host lmtp said: 552 5.2.2 Over quota (in reply to RCPT TO command)\n",
        "full",
    ),
    (
        "sun",
        "Internet Mail Delivery <postmaster@sun.example>",
        "Delivery Notification: Delivery has failed",
        "This report relates to a message you sent.\n\nYour message cannot be delivered to the following recipients:\n\n  Recipient address: cy@reader.example\n  Reason: Illegal host/domain name found\n",
        "hard",
    ),
    (
        "docomo-ja",
        "Mail Administrator <mail-daemon@docomo.example>",
        "Undelivered: User Unknown",
        "次の宛先へのメールを配信できませんでした。\n\n<cy@reader.example>\n宛先不明 550 Unknown user\n",
        "hard",
    ),
    (
        "ezweb",
        "Postmaster@ezweb.example",
        "Mail System Error - Returned Mail",
        "The following recipients did not receive this message:\n\n      <cy@reader.example>\n\nメールボックスの容量が超過しています。\n",
        "full",
    ),
    (
        "qq-zh",
        "postmaster@qq.example",
        "系统退信/Systems bounce",
        "抱歉，您的邮件被退回来了……\n收件人 cy@reader.example\n退信原因：该邮箱已满\n",
        "full",
    ),
    (
        "naver-ko",
        "postmaster@naver.example",
        "메일 배달 실패: 반송 안내",
        "다음 주소로 메일을 보낼 수 없습니다.\n\n<cy@reader.example>\n사용자를 찾을 수 없습니다. 550\n",
        "hard",
    ),
    (
        "mailru-ru",
        "Mail Delivery System <mailer-daemon@corp.example>",
        "Письмо не доставлено",
        "Ваше письмо не может быть доставлено:\n\ncy@reader.example\nПользователь не найден\n",
        "hard",
    ),
    (
        "turkish",
        "MAILER-DAEMON@posta.example",
        "İletiniz teslim edilemedi",
        "Aşağıdaki alıcıya teslim edilemedi:\n\n<cy@reader.example>: kullanıcı bulunamadı\n",
        "hard",
    ),
    (
        "finnish",
        "postmaster@posti.example",
        "Viestiä ei voitu toimittaa",
        "Viestiä ei voitu toimittaa vastaanottajalle:\n\n  cy@reader.example\n  Vastaanottaja tuntematon\n",
        "hard",
    ),
    (
        "czech",
        "postmaster@posta.example",
        "Nedoručitelné: Harbour bridge closed",
        "Zprávu se nepodařilo doručit:\n\n  cy@reader.example\n  Uživatel neexistuje\n",
        "hard",
    ),
    (
        "hungarian",
        "postmaster@level.example",
        "Kézbesíthetetlen: Harbour bridge closed",
        "Az üzenet nem kézbesíthető:\n\n  cy@reader.example\n  A címzett ismeretlen\n",
        "hard",
    ),
    (
        "danish",
        "postmaster@post.example",
        "Beskeden kan ikke leveres",
        "Din besked kunne ikke leveres til:\n\n  cy@reader.example\n  Adressen findes ikke\n",
        "hard",
    ),
    (
        "spam-prose",
        "postmaster@strict.example",
        "Undeliverable: Harbour bridge closed",
        "Your message to cy@reader.example was blocked because it looks like spam.\n",
        "spam",
    ),
    (
        "policy-prose",
        "MAILER-DAEMON@strict.example",
        "Mail delivery failed",
        "Delivery to cy@reader.example failed.\nThe message was rejected: not authorized to send to this group.\n",
        "policy",
    ),
    (
        "unknown-prose",
        "MAILER-DAEMON@odd.example",
        "Delivery failure",
        "We are sorry. Your message for cy@reader.example met an error #77.\n",
        "unknown",
    ),
    (
        "scalix",
        "Mail Delivery <MAILER-DAEMON@scalix.example>",
        "Delivery Report (failure) for cy@reader.example",
        "Delivery failed for recipient cy@reader.example\nReason: no such account\n",
        "hard",
    ),
    (
        "verizon",
        "post_master@vtext.example",
        "Undeliverable Message",
        "Error: undeliverable to cy@reader.example\nMessage could not be delivered to mobile. Error: No valid recipients for this MM\n",
        "hard",
    ),
):
    add(_name, head(_sender, _subject) + _text, f"bounce {_is}")

# -- complaints ------------------------------------------------------------------------------------


def arf(fields: str, returned: str = ALERT, subject: str = "FW: Harbour bridge closed") -> str:
    return (
        f"From: feedback@provider.example\nTo: fbl@herald.example\nSubject: {subject}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report;\n boundary="arf"\n\n'
        "--arf\nContent-Type: text/plain\n\nThis is an email abuse report for a message received.\n"
        f"--arf\nContent-Type: message/feedback-report\n\n{fields}\n--arf\nContent-Type: message/rfc822\n\n{returned}\nIt is.\n--arf--\n"
    )


add(
    "arf",
    arf(
        "Feedback-Type: abuse\nUser-Agent: P/1\nVersion: 1\nOriginal-Rcpt-To: <cy@reader.example>\n"
    ),
    "complaint ",
)
add(
    "arf-redacted",
    arf(
        "Feedback-Type: abuse\nUser-Agent: P/1\nVersion: 1\nOriginal-Rcpt-To: redacted-0f@reader.example\n",
        ALERT.replace(CY, "redacted@reader.example"),
    ),
    "complaint ",
    "",
)
add(
    "arf-yahoo",
    arf(
        "Feedback-Type: abuse\nUser-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 0.1\nOriginal-Mail-From: <b+00@bounces.herald.example>\nOriginal-Rcpt-To: cy@reader.example\nReceived-Date: Mon\n"
    ),
    "complaint ",
)
add(
    "arf-fraud",
    arf("Feedback-Type: fraud\nVersion: 1\nOriginal-Rcpt-To: cy@reader.example\n"),
    "complaint ",
)
add(
    "arf-opt-out",
    arf("Feedback-Type: opt-out\nVersion: 0.1\nOriginal-Rcpt-To: cy@reader.example\n"),
    "complaint ",
)
add(
    "arf-not-spam",
    arf("Feedback-Type: not-spam\nVersion: 1\nOriginal-Rcpt-To: cy@reader.example\n"),
    "other ",
)
add(
    "arf-dmarc",
    arf(
        "Feedback-Type: auth-failure\nVersion: 1\nOriginal-Rcpt-To: cy@reader.example\nAuth-Failure: dmarc\n"
    ),
    "other ",
)
add(
    "jmrp",
    "From: staff@hotmail.example\nSubject: complaint about message from 192.0.2.1\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: cy@reader.example\n"
    + ALERT
    + "\nIt is.\n",
    "complaint ",
)
add(
    "cfbl",
    "From: fbl@provider.example\nSubject: Feedback\nMIME-Version: 1.0\nContent-Type: text/plain\nCFBL-Feedback-ID: 00\n\n",
    "complaint ",
    "",
)

# -- automatic answers, challenges, people ---------------------------------------------------------

for _name, _subject, _more, _text in (
    (
        "vacation",
        "Out of Office: Harbour bridge closed",
        "Auto-Submitted: auto-replied (vacation)\n",
        "I am on holiday until Monday.",
    ),
    (
        "vacation-no-mark",
        "Automatic reply: Harbour bridge closed",
        "",
        "I am away and will reply when I am back.",
    ),
    (
        "vacation-de",
        "Automatische Antwort: Harbour bridge closed",
        "X-Auto-Response-Suppress: All\n",
        "Ich bin bis Montag nicht im Büro.",
    ),
    ("abwesenheit", "Abwesenheitsnotiz", "", "Ich bin im Urlaub."),
    ("fr", "Réponse automatique : Harbour bridge closed", "", "Je suis absent jusqu'au lundi."),
    ("es", "Respuesta automática: Harbour bridge closed", "", "Estoy fuera de la oficina."),
    ("it", "Risposta automatica: Harbour bridge closed", "", "Sono fuori ufficio."),
    ("pt", "Resposta automática: Harbour bridge closed", "", "Estou de férias."),
    ("nl", "Automatisch antwoord: Harbour bridge closed", "", "Ik ben afwezig."),
    ("sv", "Autosvar: Harbour bridge closed", "", "Jag är på semester."),
    ("fi", "Automaattinen vastaus: Harbour bridge closed", "", "Olen lomalla."),
    ("pl", "Automatyczna odpowiedź: Harbour bridge closed", "", "Jestem na urlopie."),
    ("ru", "Автоматический ответ: Harbour bridge closed", "", "Я в отпуске."),
    ("ja", "自動応答: Harbour bridge closed", "", "不在です。"),
    ("zh", "自动回复: Harbour bridge closed", "", "我在休假。"),
    (
        "left-company",
        "Re: Harbour bridge closed",
        "Auto-Submitted: auto-replied\n",
        "Cy no longer works here. Please write to info@reader.example.",
    ),
    (
        "ticket",
        "[Ticket 4711] We have received your request",
        "Precedence: auto_reply\n",
        "Thank you for contacting us.",
    ),
    ("x-autoreply", "Thanks", "X-Autoreply: yes\n", "Thank you for your message."),
):
    add(f"auto-{_name}", head("Cy <cy@reader.example>", _subject, _more) + _text, "automatic ", "")
for _name, _subject, _text in (
    (
        "spamarrest",
        "Re: Harbour bridge closed (Verification Required)",
        "Just this once, click the link below so I can receive your message. http://spamarrest.example/",
    ),
    (
        "boxbe",
        "Harbour bridge closed (Action Required)",
        'Hello, your message about "Harbour bridge closed" was waitlisted. Please add yourself to my Guest List via Boxbe.',
    ),
    ("tmda", "Please confirm your message", "This message was created automatically by TMDA."),
    (
        "mailinblack",
        "Confirmez votre envoi",
        "Pour que votre message me parvienne, confirmez votre adresse. Mailinblack",
    ),
):
    add(f"challenge-{_name}", head("Cy <cy@reader.example>", _subject) + _text, "challenge ", "")
for _name, _subject, _text in (
    ("question", "Re: Harbour bridge closed", "Is the ferry still running?\n\nCy"),
    ("praise", "AW: Harbour bridge closed", "Danke, sehr gut!\n"),
    (
        "leave",
        "Re: Harbour bridge closed",
        "Please unsubscribe me.\n\n> On Monday you wrote:\n> unsubscribe here",
    ),
    (
        "quoted-only",
        "Re: Harbour bridge closed",
        "Thanks.\n\nOn Mon, 2 Nov 2026, The Harbour Herald wrote:\n> To unsubscribe, click here",
    ),
):
    add(
        f"reply-{_name}",
        head("Cy <cy@reader.example>", _subject, "In-Reply-To: <00@herald.example>\n") + _text,
        "reply ",
        "",
    )
add(
    "receipt",
    dsn(
        "Your message was read.",
        "",
        "",
        sender="Cy <cy@reader.example>",
        subject="Read: Harbour bridge closed",
        report="disposition-notification",
        action="x",
        more="Disposition: manual-action/MDN-sent-manually; displayed\n",
    ),
    "delivered ",
)
add(
    "newsletter",
    "From: News <news@shop.example>\nSubject: Offers\nList-Id: <news.shop.example>\n\nBuy!\n",
    "other ",
    "",
)


def _as_latin_1() -> None:
    """An old system that writes German in ISO 8859-1, quoted-printable."""
    body = "Der Empfänger ist unbekannt:\n\n  cy@reader.example\n".encode("iso-8859-1")
    text = (
        "From: MAILER-DAEMON@alt.example\nSubject: =?iso-8859-1?Q?Zustellung_fehlgeschlagen?=\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
    )
    add("latin-1", text + quopri.encodestring(body).decode(), "bounce hard")


def _as_iso_2022_jp() -> None:
    body = "次の宛先は存在しません\n\n<cy@reader.example>\n".encode("iso-2022-jp").decode("ascii")
    add(
        "iso-2022-jp",
        "From: MAILER-DAEMON@jp.example\nSubject: Undelivered Mail\nMIME-Version: 1.0\nContent-Type: text/plain; charset=ISO-2022-JP\n\n"
        + body,
        "bounce hard",
    )


def _as_html() -> None:
    add(
        "html-only",
        head("postmaster@web.example", "Undeliverable: Harbour bridge closed", kind="text/html")
        + "<html><head><style>p{color:red}</style></head><body><p>Your message to <b>cy@reader.example</b> couldn&#39;t be delivered.</p><p>The address was not found.</p></body></html>",
        "bounce hard",
    )


_as_latin_1()
_as_iso_2022_jp()
_as_html()

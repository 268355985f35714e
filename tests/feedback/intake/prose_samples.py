"""Further mails that came back: gateways, mobile carriers, list managers, and broken reports.

They are added to `samples.SAMPLES`. All people, hosts and newsrooms are fictional.
"""

from __future__ import annotations

import json

from tests.feedback.intake.samples import ALERT, CY, SAMPLES, add, dsn, head

__all__ = ["SAMPLES"]

DAEMON = "MAILER-DAEMON@mx.relay.example"
EXIM = (
    "This message was created automatically by mail delivery software.\n\nA message that you sent "
    "could not be delivered to one or more of its\nrecipients. This is a permanent error. The "
    "following address(es) failed:\n\n  cy@reader.example\n    {}\n\n"
    "------ This is a copy of the message, including all the headers. ------\n\n" + ALERT
)
QMAIL = (
    "Hi. This is the qmail-send program at mx.relay.example.\nI'm afraid I wasn't able to deliver "
    "your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it "
    "didn't work out.\n\n{}\n--- Below this line is a copy of the message.\n\n" + ALERT
)


# -- DragonFly: its header names the address that failed -------------------------------------------

for _name, _said, _is in (
    ("unknown", "did not like our RCPT TO:\n550 5.1.1 Recipient not found", "bounce hard"),
    ("given-up", "Could not deliver for the last 432000 seconds. Giving up.", "bounce soft"),
    ("dmarc", "did not like our final DATA:\n550 5.7.26 Unauthenticated email", "bounce policy"),
):
    add(
        f"dragonfly-{_name}",
        head(DAEMON, "Mail delivery failed", more=f"X-Original-To: <{CY}>\n")
        + "This is the DragonFly Mail Agent v0.13 at df.relay.example.\n\nThere was an error "
        f"delivering your mail to <{CY}>.\n\nmx.reader.example [192.0.2.2] {_said}\n\n"
        "Message headers follow.\n\n" + ALERT,
        _is,
    )


# -- Amazon SES: notices as JSON, by mail ----------------------------------------------------------


def notice(kind: str, **told: object) -> str:
    body = {"notificationType": kind.title(), kind: told, "mail": {"destination": [CY]}}
    return json.dumps(body)


def bounced(kind: str, detail: str, **told: str) -> str:
    one = {"emailAddress": CY, "action": "failed"} | told
    return notice("bounce", bounceType=kind, bounceSubType=detail, bouncedRecipients=[one])


def ses(name: str, text: str, expected: str) -> None:
    more = "\n--\nIf you wish to stop receiving notifications, please click or visit the link"
    add(f"ses-notice-{name}", head("no-reply@sns.example", "Notification") + text + more, expected)


_UNKNOWN = bounced("Permanent", "General", status="5.1.1", diagnosticCode="smtp; 550 5.1.1 unknown")
ses("unknown", _UNKNOWN, "bounce hard")
ses("cut-by-sendmail", _UNKNOWN.replace('"action"', '!\n "action"'), "bounce hard")
ses("wrapped", json.dumps({"Type": "Notification", "Message": _UNKNOWN}), "bounce hard")
ses("full", bounced("Transient", "MailboxFull"), "bounce full")
ses("passing", bounced("Transient", "General"), "bounce soft")
ses("content", bounced("Transient", "ContentRejected"), "bounce policy")
ses("unsaid", bounced("Undetermined", "Undetermined"), "bounce unknown")
ses("complaint", notice("complaint", complainedRecipients=[{"emailAddress": CY}]), "complaint")
ses("delivery", notice("delivery", recipients=[CY], smtpResponse="250 ok"), "delivered")
ses("cut-off", _UNKNOWN[:60], "reply")


# -- gateways of mobile carriers -------------------------------------------------------------------

add(
    "carrier-unfolded-boundary",
    head("post_master@sms.carrier.example", "Re:Harbour bridge closed").replace(
        "Content-Type: text/plain; charset=utf-8", 'Content-Type: multipart/mixed;\nboundary="b"'
    )
    + "------b\nContent-Type: text/plain; charset=us-ascii\n\nError: Invalid user address\n\n"
    "Error message below:\n550 - Requested action not taken: no such user here\n\n"
    f"Message details:\n  Subject: Harbour bridge closed\n  RCPT TO: {CY}\n"
    "  From: alerts@herald.example\n------b--\n",
    "bounce hard",
)
add(
    "carrier-multimedia",
    head("MMSC NDR Administrator <sysadmin@mms.carrier.example>", "Undeliverable Message")
    + "Message could not be delivered to mobile.\nError: No valid recipients for this MM\n\n\n"
    f"Original Message:\nFrom: The Harbour Herald <alerts@herald.example>\nTo: {CY}\n",
    "bounce hard",
)
add(
    "carrier-japan-full",
    head("no-reply@carrier.example", "メールエラー通知")
    + "送信先のメールボックスが一杯のため、送信できませんでした。\n\n"
    f"     Could not be delivered to: <{CY}>\n     As their mailbox is full.\n\n"
    f"Original message follows.\n\n{ALERT}",
    "bounce full",
)
add(
    "carrier-filter-after-data",
    dsn(
        f"<{CY}>: host mfsmax.docomo.ne.jp[192.0.2.2] said: 550 Unknown user {CY}\n"
        "    (in reply to end of DATA command)",
        "5.0.0",
        f"smtp; 550 Unknown user {CY}",
    ).replace("Action: failed", "Remote-MTA: dns; mfsmax.docomo.ne.jp\nAction: failed"),
    "bounce policy",
)


# -- list managers and groups ----------------------------------------------------------------------

_FML = "X-MLServer: fml [fml 4.0.3 release]\n"
add(
    "fml-no-member",
    head("crew-admin@reader.example", "You … are not member (crew ML)".replace("…", CY), more=_FML)
    + f"You are not a member of this mailing list <{CY}>.\n\nPlease send mail to the address\n\n"
    "\tcrew-ctl@reader.example\n",
    "bounce policy",
)
add(
    "fml-loop",
    head("crew-admin@reader.example", "Loop Alert: Duplicated Message-ID (crew ML)", more=_FML)
    + f"Duplicated Message-ID in <{CY}>.\n\nOriginal mail as follows:\n\n   From: a\n",
    "bounce soft",
)
add(
    "group-french",
    head(DAEMON, "Delivery Status Notification (Failure)", more=f"X-Failed-Recipients: {CY}\n")
    + "Bonjour,\n\nIl se peut que le groupe que vous avez essayé de contacter (cy) n'existe pas "
    "ou que vous ne soyez pas autorisé à lui envoyer des messages.\n",
    "bounce policy",
)


# -- broken reports --------------------------------------------------------------------------------

_DSN = dsn(f"<{CY}>: host mx said: 550 5.1.1 User unknown", "5.1.1", "smtp; 550 5.1.1 User unknown")
add("report-other-boundary", _DSN.replace('"=_b0/1"', '"=_b7/9"'), "bounce hard")
add(
    "report-without-parts",
    head(DAEMON, "Returned mail: Service unavailable", kind="multipart/report; boundary=b")
    + "   ----- The following addresses had permanent fatal errors -----\n"
    f"<{CY}>\n\n   ----- Transcript of session follows -----\nmail.local: unknown user: cy\n"
    f"554 <{CY}>... Service unavailable\n\nReporting-MTA: dns; mx.relay.example\n\n"
    f"Action: failed\nStatus: 5.5.0\nFinal-recipient: RFC822; <{CY}>\n\n" + ALERT,
    "bounce hard",
)
add(
    "report-attached-by-gateway",
    head(f"Mail Delivery Subsystem <{DAEMON}>", "Returned mail: User unknown").replace(
        "text/plain; charset=utf-8", 'multipart/mixed; boundary="o"'
    )
    + "--o\nContent-Type: text/plain\n\n"
    "----- The following addresses had permanent delivery errors -----\n\n"
    f"--o\nContent-Type: message/rfc822\n\n{_DSN}\n--o--\n",
    "bounce hard",
)
add("report-failed-with-2xx", dsn("No.", "2.3.4", "smtp; 550 spam refused"), "bounce spam")
add(
    "gateway-quotes-reply",
    dsn(
        "The following message was undeliverable.",
        "5.1.0",
        f"smtp; 5.1.0 - Unknown address error 550-'5.7.1 <{CY}>... Access denied' "
        "(delivery attempts: 0)",
    ),
    "bounce policy",
)

_EXIM_DSN = dsn("No action is required on your part.", "4.0.0", "", action="delayed").replace(
    f"Final-Recipient: rfc822; {CY}\nAction: delayed\n",
    f"Action: delayed\nFinal-Recipient: rfc822; {CY}\n",
)
add("report-of-exim-delayed", _EXIM_DSN, "delayed soft")
_TWO = _EXIM_DSN.replace(
    "Action: delayed",
    "Action: delivered\nFinal-Recipient: rfc822; al@reader.example\nStatus: 2.0.0\n\n"
    "Action: failed\nOriginal-Recipient: rfc822; " + CY,
).replace("Status: 4.0.0", "Status: 5.1.1")
add("report-of-exim-for-two", _TWO, "bounce hard")
add(
    "report-of-opensmtpd-expired",
    dsn(
        "A message is delayed for more than 0 seconds for the following\nlist of recipients:\n\n"
        f"{CY}: Envelope expired\n",
        "4.4.7",
        "",
        action="delayed",
    ),
    "bounce soft",
)
_HOPS = "Received: from mx.relay.example by mx.relay.example\n" * 31
add(
    "report-of-exim-of-a-loop",
    dsn(EXIM.format(""), "5.0.0", "", returned=_HOPS + ALERT),
    "bounce soft",
)


# -- several recipients: each has words of its own -------------------------------------------------

_HOST = "192.0.2.2 does not like recipient.\nRemote host said: "
add(
    "qmail-of-two",
    head(DAEMON, "failure notice")
    + QMAIL.format(
        f"<al@reader.example>:\n{_HOST}552 5.2.2 Mailbox full\nGiving up on 192.0.2.2.\n\n"
        f"<{CY}>:\n{_HOST}550 5.1.1 User unknown\nGiving up on 192.0.2.2.\n"
    ),
    "bounce hard",
)
add(
    "opensmtpd-of-two",
    head(f"Mailer Daemon <{DAEMON}>", "Delivery status notification: error")
    + "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.\n\n"
    "    An error has occurred while attempting to deliver a message for\n"
    "    the following list of recipients:\n\nmailboxfull@reader.example: 550 5.2.2 Mailbox Full\n"
    f"{CY}: 550 5.1.1 <{CY}>... User Unknown\n\n"
    "    Below is a copy of the original message:\n\n" + ALERT,
    "bounce hard",
)
add(
    "words-in-an-address",
    head(DAEMON, "Undelivered Mail") + "<mailbox-full@reader.example>: 550 5.1.1 User unknown\n",
    "bounce hard",
    "mailbox-full@reader.example",
)


# -- who sent it, not the reader's mailbox ---------------------------------------------------------

for _name, _said in (
    (
        "mail-from",
        "SMTP error from remote mail server after MAIL FROM:<b@x.example>:\n"
        "    553 5.1.0 herald.example does not exist",
    ),
    (
        "connection",
        "SMTP error from remote mail server after initial connection:\n"
        "    554 You've reached your daily relay quota",
    ),
    (
        "domain",
        "SMTP error from remote mail server after end of data:\n"
        "    550 5.2.0 <b@x.example> From: Domain\n    is invalid",
    ),
):
    add(f"exim-{_name}", head(DAEMON, "Mail delivery failed") + EXIM.format(_said), "bounce policy")
add(
    "qmail-our-name",
    head(DAEMON, "failure notice")
    + QMAIL.format(
        f"<{CY}>:\nConnected to 192.0.2.2 but my name was rejected.\n"
        "Remote host said: 501 5.0.0 Invalid domain name\n"
    ),
    "bounce policy",
)


# -- hosts that were not reached, and mailboxes that are locked ------------------------------------

for _name, _said, _is in (
    ("failing", "all hosts have been failing for a long time and were last tried", "soft"),
    (
        "maybe-gone",
        "The account or domain may not exist, they may be blacklisted, or missing "
        "the proper dns entries.",
        "hard",
    ),
    ("frozen", "550 Mailbox is frozen.", "hard"),
    ("locked", "550 5.7.1 Recipient address rejected: User temporary locked. Try later", "soft"),
    ("disabled", "525 5.7.13 Disabled recipient address", "hard"),
    ("french-blocked", "550 5.5.0 Le compte du destinataire est bloqué.", "hard"),
    ("no-service", "an MX or SRV record indicated no SMTP service", "hard"),
    ("expired-box", "Esta casilla ha expirado por falta de uso.", "hard"),
    ("bare", "550 Recipient address rejected.", "hard"),
    ("frequency", "550 Connection frequency limited [Blocked IP 192.0.2.1]", "soft"),
    ("connect", "The recipient server did not accept our requests to connect.", "soft"),
    (
        "too-long",
        "unable to connect to remote server: Operation timed out\n"
        "    this message has been in the queue too long.",
        "soft",
    ),
):
    add(
        f"exim-{_name}",
        head(DAEMON, "Mail delivery failed") + EXIM.format(_said),
        f"bounce {_is}",
    )
for _name, _said, _is in (
    ("full", f"User mailbox exceeds allowed size: {CY}", "full"),
    ("unknown", f"Invalid final delivery userid: {CY}", "hard"),
    ("attempts", f"Delivery failed 20 attempts: {CY}", "soft"),
):
    add(
        f"imail-{_name}",
        head('"Postmaster" <postmaster@relay.example>', "Undeliverable Mail")
        + f"{_said}\n\n\nOriginal message follows.\n\n{ALERT}",
        f"bounce {_is}",
    )
add(
    "zoho-unreached",
    head(DAEMON, "Undelivered Mail Returned to Sender")
    + "This message was created automatically by mail delivery software.\n\n"
    f"{CY} Error, ERROR_CODE :421, ERROR_CODE :, Host not reachable.\n\n"
    "Received:from mail.relay.example by mx.relay.example\n" + ALERT,
    "bounce soft",
)
add(
    "name-server",
    dsn("No.", "5.4.4", "X-Postfix; Name service error: Malformed or unexpected name server reply"),
    "bounce soft",
)


# -- for people ------------------------------------------------------------------------------------

add(
    "bluebottle-challenge",
    head("Cy <cy@reader.example>", "RE: Harbour bridge closed")
    + "This account is protected.  Please click on the following link to have your address added\n"
    "to the recipient's allowed list and to ensure delivery of your email.\n",
    "challenge",
)
add(
    "apple-unsubscribe",
    head(
        "cy@reader.example",
        "unsubscribe",
        more="Auto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\n",
    )
    + "Apple Mail sent this email to unsubscribe from the message “Harbour bridge closed”.\n",
    "reply",
)

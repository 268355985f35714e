"""A private Postfix in front of a private Dovecot, whose reports go to our listener. Needs root.

Mail for readers goes to Dovecot by LMTP, mail for return paths to the listener. Some recipients
get a policy refusal, a dead next hop, or a loop.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.support.ports import free_port
from tests.support.private_postfix import PrivatePostfix

_SETTINGS = """\
myhostname = mx.reader.example
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_restrictions =
header_checks = regexp:{{{{/^Subject:.*casino/ REJECT 5.7.1 No casinos here}}}}
transport_maps = inline:{{reader.example=lmtp:inet:127.0.0.1:{dovecot}, {domain}=lmtp:inet:127.0.0.1:{intake}, dead.example=smtp:[127.0.0.1]:1, loop.example=smtp:[127.0.0.1]:{port}}}
disable_dns_lookups = yes
smtp_tls_security_level = none
smtpd_tls_security_level = none
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
delay_warning_time = 1s
maximal_queue_lifetime = {lifetime}
bounce_queue_lifetime = 20s
hopcount_limit = 6
service_throttle_time = 1s
bounce_template_file = {place}/bounces
"""
# In German; Dovecot's own reports are in English.
_TEMPLATES = """\
failure_template = <<EOF
Charset: utf-8
From: MAILER-DAEMON (Mail-Zustellung)
Subject: Unzustellbare Nachricht

Dies ist das Mailsystem von $myhostname.

Ihre Nachricht konnte leider nicht zugestellt werden. Sie hängt unten an.

EOF
delay_template = <<EOF
Charset: utf-8
From: MAILER-DAEMON (Mail-Zustellung)
Subject: Ihre Nachricht wartet noch

Dies ist das Mailsystem von $myhostname.

Ihre Nachricht ist noch nicht zugestellt. Sie müssen sie nicht noch einmal senden.

EOF
"""


class ProviderPostfix(PrivatePostfix):
    """Takes mail on `port`. `lifetime`: how long mail for a dead host is tried."""

    def __init__(self, dovecot: int, intake: int, domain: str, lifetime: str = "4s") -> None:
        port, place = free_port(), Path(tempfile.mkdtemp(prefix="postfix"))
        (place / "bounces").write_text(_TEMPLATES, encoding="utf-8")
        settings = _SETTINGS.format(
            dovecot=dovecot, intake=intake, domain=domain, port=port, lifetime=lifetime, place=place
        )
        super().__init__(place, settings, port)

    def stop(self) -> None:
        """Ends it and deletes its folder."""
        super().stop()
        shutil.rmtree(self.place, ignore_errors=True)

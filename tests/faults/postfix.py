"""A private Postfix that hands our mail on to a relay which keeps what it really took."""

from __future__ import annotations

from pathlib import Path

from tests.support.private_postfix import PrivatePostfix

_SETTINGS = """\
myhostname = postfix.example
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
relayhost = [127.0.0.1]:{onwards}
disable_dns_lookups = yes
smtp_tls_security_level = none
smtpd_tls_security_level = none
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
service_throttle_time = 1s
"""


class ForwardingPostfix(PrivatePostfix):
    """Hands on what it takes to the relay at the port `onwards`."""

    def __init__(self, place: Path, onwards: int) -> None:
        super().__init__(place, _SETTINGS.format(onwards=onwards))

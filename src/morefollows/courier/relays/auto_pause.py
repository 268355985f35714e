"""Detects that a relay refuses all our mail, not single readers. Then the relay is paused.

Only mails of alerts count. Letters don't, as strangers choose their addresses in a public form.
"""

from __future__ import annotations

#: Mails in a row refused at MAIL, before the relay knows the recipient, until it is paused.
TO_US = 3
#: Mailbox providers in a row whose mails were refused, with none accepted, until it is paused.
PROVIDERS = 5
#: The same, once the relay has accepted some mail.
PROVIDERS_LATER = 20
#: Where all are at few providers, but at two at least: mails in a row refused, with none accepted,
#: until it is paused, if the relay has accepted no mail of the alert. Each provider by itself is
#: the brake's business.
MAILS = 20
#: The same, once the relay has accepted mail of the alert.
MAILS_LATER = 200


class RefusalStreak:
    """Counts one relay's refusals since the last accepted mail, in one sender process.

    `has_accepted`: a mail was accepted since the process began, or since the last pause.
    """

    def __init__(self) -> None:
        self.has_accepted = False
        self.running = False  #: a mail was refused since the last accepted one
        self._to_us = 0
        self._providers: set[str] = set()
        self._refused = 0  # mails, by these providers
        self._settled = 0  # mails answered since the first of these refusals
        self._beside = 0  # mails in flight at that time

    def accepted(self) -> None:
        """Called when a mail was accepted. Earlier refusals were then about their recipients."""
        self.has_accepted = True
        if self.running:
            self._end()

    def settled(self) -> None:
        """Called when a mail was not accepted. Only while `running`."""
        self._settled += 1

    def to_us(self) -> bool:
        """Called when MAIL was refused. Returns whether the relay refuses all our mail.

        It does at once if no mail was accepted so far, else after `TO_US` in a row.
        """
        self.running = True
        self._to_us += 1
        return self._speaks_of_us(not self.has_accepted or self._to_us >= TO_US)

    def to_recipient(self, provider: str, in_flight: int, *, fresh: bool = False) -> bool:
        """Called at a doubtful refusal. Returns whether the relay refuses all our mail by now.

        `fresh`: the relay has accepted no mail of this alert.
        A refused RCPT is answered sooner than accepted content. So as many mails as were in
        flight at the first refusal must also be answered, and none of them accepted.
        """
        if not self._providers:
            self._settled, self._beside = 1, in_flight
        self.running = True
        self._providers.add(provider)
        self._refused += 1
        enough = PROVIDERS_LATER if self.has_accepted else PROVIDERS
        found = len(self._providers) >= enough or (
            len(self._providers) > 1 and self._refused >= (MAILS if fresh else MAILS_LATER)
        )
        return self._speaks_of_us(found and self._settled > self._beside)

    def resumed(self) -> None:
        """Called when an editor or a trial mail ended the pause. Counting starts again."""
        self._end()

    def _speaks_of_us(self, found: bool) -> bool:
        if found:
            self.has_accepted = False
        return found

    def _end(self) -> None:
        self.running = False
        self._to_us = self._settled = self._beside = self._refused = 0
        self._providers.clear()

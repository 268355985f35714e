"""When refusals of a relay speak of us, and not of the readers whose mails were refused: then it is paused.

Only mails of alerts count. Letters go to addresses that strangers type into a form.
"""

from __future__ import annotations

#: Mails refused at MAIL in a row, before the relay knew any recipient, that speak of us.
TO_US = 3
#: Different mailbox providers, in a row and with nothing accepted beside, whose mails were refused.
PROVIDERS = 5
#: The same, once the relay has accepted some mail.
PROVIDERS_LATER = 20


class Refusals:
    """One relay's run of refusals without an acceptance, in one sender process.

    `has_accepted` says that it accepted some mail since the process began, or since it was paused.
    """

    def __init__(self) -> None:
        self.has_accepted = False
        self.running = False  #: there was a refusal since the last acceptance
        self._to_us = 0
        self._providers: set[str] = set()
        self._settled = 0  # mails since the run began
        self._beside = 0  # mails that were in flight when it began

    def accepted(self) -> None:
        """A mail was accepted: what was refused before speaks of its recipients."""
        self.has_accepted = True
        if self.running:
            self._end()

    def settled(self) -> None:
        """A mail was answered otherwise. Called only while `running`."""
        self._settled += 1

    def to_us(self) -> bool:
        """A mail was refused at MAIL. Returns whether that speaks of us: at once if nothing was accepted so far."""
        self.running = True
        self._to_us += 1
        return self._speaks_of_us(not self.has_accepted or self._to_us >= TO_US)

    def to_recipient(self, provider: str, in_flight: int) -> bool:
        """A mail to this provider was refused for a doubtful reason. Returns whether that speaks of us by now.

        A refused recipient is answered sooner than content is taken. So as many mails as were in flight beside the
        first one must have been answered, too, and none of them accepted.
        """
        if not self._providers:
            self._settled, self._beside = 1, in_flight
        self.running = True
        self._providers.add(provider)
        enough = PROVIDERS_LATER if self.has_accepted else PROVIDERS
        return self._speaks_of_us(len(self._providers) >= enough and self._settled > self._beside)

    def resumed(self) -> None:
        """An editor, or a trial, lets the relay go on: it is judged from the beginning."""
        self._end()

    def _speaks_of_us(self, found: bool) -> bool:
        if found:
            self.has_accepted = False
        return found

    def _end(self) -> None:
        self.running = False
        self._to_us = self._settled = self._beside = 0
        self._providers.clear()

"""Answers that take the same time whatever is known, without a thread that waits."""

from __future__ import annotations

import time

from django.http import HttpRequest

#: Key of the ASGI scope: the earliest time to send the answer (`time.monotonic`).
NOT_BEFORE = "morefollows.not_before"


def answer_not_before(request: HttpRequest, moment: float) -> None:
    """Has the answer to a request sent at `moment` (`time.monotonic`) at the earliest.

    `processes.web.django_pages` waits in the event loop. Under another server it waits here.
    """
    scope = getattr(request, "scope", None)
    if scope is None:
        time.sleep(max(0.0, moment - time.monotonic()))
    else:
        scope[NOT_BEFORE] = moment

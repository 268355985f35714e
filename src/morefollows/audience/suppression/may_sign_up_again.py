"""Which suppressed addresses may sign up again by themselves: those that bounced here.

They are sent a confirmation, and confirming lifts the suppression, since whoever confirms has read
our mail there. Not so with addresses that were suppressed for another reason, or brought along by a
list: an editor or a command has to lift these.

The condition is here in three forms, as some of those who ask have a row, some a query, and some
SQL. They say the same; a test compares them.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from morefollows.audience.models import Suppression

_CONDITION: Final[dict[str, Any]] = {"reason": Suppression.Reason.BOUNCED, "from_list": False}
#: The condition in SQL. `x`: the row of the suppression.
SQL: Final = f"x.reason = '{Suppression.Reason.BOUNCED.value}' AND NOT x.from_list"


def may_sign_up_again(suppression: Suppression) -> bool:
    """Whether confirming a new sign-up lifts this suppression. It need not be a stored one."""
    return all(getattr(suppression, name) == value for name, value in _CONDITION.items())


def suppressions_that_may() -> QuerySet[Suppression]:
    """Returns the suppressions for which `may_sign_up_again` is true."""
    return Suppression.objects.filter(**_CONDITION)

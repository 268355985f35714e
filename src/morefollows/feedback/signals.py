"""What this part signals. `api.webhooks` makes events of it."""

from __future__ import annotations

from django.dispatch import Signal

#: An objective is missed, or met again. Sent with `alarm`, an `ObjectiveAlarm`, in the transaction.
objective_changed = Signal()

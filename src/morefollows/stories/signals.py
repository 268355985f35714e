"""Signals about alerts and updates, for parts that this one does not import.

They are sent in the transaction of the change. A receiver that raises undoes the change.
"""

from __future__ import annotations

from django.dispatch import Signal

alert_changed = Signal()  #: an alert was made, or its state has changed: `alert_id`
update_published = Signal()  #: readers can see it from now on: `update`

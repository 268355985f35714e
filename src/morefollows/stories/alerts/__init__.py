"""Alerts: their states and who may change them, what happens after the hold, and who is mailed.

`transition_table` has the states and events, `transitions` applies them, and nothing else writes an
alert's state. `publication` is what happens without an editor, at the end of the hold and later.
"""

"""What the newsroom says: stories, their updates, the alerts that mail them, and their states.

A story has one draft, the next update (`drafts`). Send freezes it as an update and starts the hold
of its alert (`actions`). `alerts` has the states of alerts, who may change them, and what happens
without an editor: the update is published when the hold has ended. `checks` says what a story may
consist of, and `markdown` makes safe HTML and plain text of it.
"""

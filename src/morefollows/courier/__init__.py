"""How mail goes out: from an alert or letter in the database to a relay, and back to an outcome.

`preflight` is what an editor sees before Send. `sender` is the loop of a sender process. It claims
batches of an alert from the `ledger` (one of them is a `batch`), and letters from the `outbox`.
`message` makes the mails. `relays` decides which relay may be given one now, `relay_pauses` keeps
which are paused, and `smtp` is the kind of relay that is built in. Replies become outcomes in the
ledger. Refusals go through `refusals` to their readers. `restore` holds all mail while the database
is older than it was.
"""

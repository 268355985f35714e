"""Letters: every mail that is no alert, from its row to the relay, under the ledger's lease rule.

`digests` chooses which summaries are due, and what they contain. `mails` renders letters. `queue`
has the claimed ones until a relay takes them, `letter_replies` judges the relay's reply to each,
and `worker` runs all this in a sender process.
"""

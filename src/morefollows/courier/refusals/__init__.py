"""What refusals mean for readers.

`refusal_recorder` writes them, apart from the ledger. If a relay or mailbox provider refuses a
large share of an alert, they say something about us: `brake` holds them, and `bounces` has those
mails deferred and sent again. Otherwise a refusal counts against its reader, and the second one,
days later, suppresses the address (`audience.suppression.hard_bounces`).
"""

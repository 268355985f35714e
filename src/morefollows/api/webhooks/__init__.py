"""Webhooks: posts to other programs what happens, as Standard Webhooks 1.0 has it.

`events` adds an event to the outbox, in the transaction of what happened: `signals` connects it to
Django's signals, `signal_handlers` makes events of them. `delivery` works at the outbox in a sender
process: it claims, repeats and gives up. `signatures` signs an event, `posting` sends it over HTTP.
`endpoints` are the addresses that events go to.

Invariant: an event leaves the outbox only after its endpoint took it, three days went by, or the
endpoint was removed. It keeps its id, so that an endpoint can tell what it gets twice. Events of
one story reach an endpoint in their order.
"""

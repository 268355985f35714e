"""What stands between a sender's mails and its relays. None of it knows how a relay is spoken to.

A relay asks its `RelayQueue` for the next mail. The queue gives one only if all of these allow it:
the relay is not paused, its rate (`rate_limit`), this sender's part of it (`limits_per_sender`),
its weight beside other relays (`relay_weights`), and the rate of the recipient's mailbox provider
(`provider_throttle`, `providers`). `auto_pause` finds out from the replies that a relay refuses us,
and `once_secured` remembers that it has used TLS. `relay_pool` has all relays of a process, and
`relay_status` what the desk shows of them. `interface` is what each kind of relay implements.
"""

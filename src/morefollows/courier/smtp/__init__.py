"""The SMTP client: plain asyncio on bytes, without Django. It knows nothing of alerts and readers.

`connection_pool` is the relay, as `courier.relays.interface` has it. Each `connection` begins with
the `handshake`. Then mails go one by one or with many in flight (`transactions`). `replies` has the
table of what a reply means, `timeouts` how long each reply is waited for, and `backoff` when a
failing relay is tried again.
"""

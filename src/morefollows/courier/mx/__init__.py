"""Direct delivery: mails go straight to the MX hosts of each reader's mail provider.

`relay` is the relay. It sorts mails by `route`: a set of MX hosts with one TLS policy, each with a
pool of SMTP connections (`courier.smtp`). `lookup` finds a domain's hosts and their TLS policy,
`host_selection` chooses the next host to connect to. Routes of one provider share its connections
and its rate: `provider_connections`. A mail leaves the ledger only if its provider has room for it:
`provider_room`. `source_addresses` are our own addresses, `warm_up` what a new one may send,
`provider_limits` what providers allow at first, and `learned_limits` what they turn out to take.
`tls_results` counts what became of TLS.

No Django here. The ledger is the only queue: a mail that can't go now is deferred in it.
"""

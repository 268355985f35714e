"""The fault harness: `make faults`. It disturbs real processes and compares the ledger with what a relay took.

`testbed`: the newsroom, its processes and relays. `proxy`: between senders and relay. `faults`:
what is injected. `ledger_check`: what is checked after each run. `trials`: longer ones, each with
its own newsroom. `postfix`: a private Postfix. ``__main__`` runs it all.
"""

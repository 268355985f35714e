"""The fault harness (`make faults`): disturbs real processes and checks the ledger.

`testbed`: the newsroom, its processes and relays. `proxy`: between senders and relay. `faults`:
what is injected. `ledger_check`: what is checked after each run. `trials`: longer ones, each with
its own newsroom. `postfix`: a private Postfix. ``__main__`` runs it all.
"""

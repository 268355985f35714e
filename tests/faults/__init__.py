"""The fault harness: `make faults`. Real processes, a relay that keeps what it really took, and every misfortune.

`stage` is the newsroom with its processes and relays, `wire` the line between them, `mischief` what goes wrong,
`judge` what is checked after each run, `trials` longer ones with a newsroom of their own, `postfix` a private Postfix,
and ``__main__`` the whole show.
"""

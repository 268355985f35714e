"""Which processes work on this database, on which machines, and which of them leads.

`identity` names a process, `models` has the registry, `admission` says why a process must not work,
`heartbeat` keeps its row fresh, and `leader` elects the one that does what only one has to do.
"""

"""Mail transactions on one connection: one after the other (`data`), or many in flight (`bdat`).

`flow_control` says how many may be in flight, and `gathering` reads many replies at once.
"""

"""Rules that editors make: which items become what.

`conditions` says which items a rule is for, `deciding_rule` decides (a pure function), `actions`
changes rules, `simulation` tells what a rule would have done, and `alone` sends without an editor.
"""

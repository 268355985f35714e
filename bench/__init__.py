"""Benchmarks. They are no part of the package: a newsroom never needs them.

`send`: `stage` sets up the product, `race` runs one sender, and `rivals` finds those that it is
compared with (`peers`, `nodemailer.cjs`). They send to what `relays` starts: Postfix's sink, a real
Postfix, or `sink`, as far away as `delay` makes it. The other measurements are one module each.
"""

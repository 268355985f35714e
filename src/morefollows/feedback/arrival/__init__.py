"""Whether mail arrives: seed inboxes, canaries, and the objectives for both.

`actions` writes what is awaited and found, and `mailbox` looks into one mailbox. `objectives`
judges alerts and canaries, and `burn_rates` whether an objective is missed: there an alarm begins
and ends. `telling_alarms` tells, and `overview` reads. The process is `processes.watcher`.
"""

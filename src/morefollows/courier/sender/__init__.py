"""A sender process. References go one way: `scheduler` → `feeder` → `recorder` → `collector`.

All of them use what is `loaded`. `due_work` queries what is due, `loader` claims batches,
`alerts_first` decides whether bulk mail waits for alerts, and `guard` checks that this process may
send. `heartbeat` tells other senders that it is alive, and `sleep_gap` judges whether none was at
work for long. One claimed batch is `courier.batch`'s.
"""

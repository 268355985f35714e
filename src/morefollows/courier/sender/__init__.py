"""A sender process. References go one way: `scheduler` → `feeder` → `recorder` → `collector`.

All of them use what is `loaded`. `due_work` queries what is due, `loader` claims batches, `guard`
checks that this process may send, and `heartbeat` tells other senders that it is alive. One claimed
batch is `courier.batch`'s.
"""

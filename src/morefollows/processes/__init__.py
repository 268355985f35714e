"""The processes that `up` starts and supervises, and what they need before and while they run.

`up` opens the listening sockets, takes the lock of the data folder, and starts the web process
(`web`), the senders (`send`) and the local inbox. It starts again what dies. Jobs that need the
database run in a process of their own (`up_jobs`), so that `up` stays small. When `up` is killed,
its children notice by a closed pipe and end (`parent_watch`). Every command that uses the database
begins with `bootstrap`.
"""

"""What is kept for how long: deletes expired rows, and counts what the next run deletes.

`tasks` has a task for each kind of data, `rounds` runs and counts them, and `giving_way` has them
wait for alerts.
"""

"""For programs: the REST API.

`v1` puts it together, `resources` has the requests by subject, and the other modules what all
requests share: `keys` and `scopes` (who asks, and what for), `requests`, and in `http` what the
protocol asks for: bodies, `repeated_requests`, `quotas`, `problems` (RFC 9457), `paging`.

Invariant: a request calls the same actions as a page of the desk, as the account of its key, so
rights, four eyes and the activity log are the same. A key's scopes only ever take rights away.
"""

"""Signing up: one record (`record.SignUp`), one writer, eight files from the form to the database.

1. `processes.web.signup_endpoint` reads the form (or a page: `public.signup`,
   `public.embedded_box`).
2. `entry` checks it. From here on the sign-up is a `SignUp`, and does not change.
3. `group_commit` queues it, and has all that wait written in one transaction.
4. `writer` is that transaction: it refuses unknown sites and forms, and retries after locks.
5. `hourly_limits` counts it by network and mail domain.
6. `record` compares it with what the database has, and makes the rows that are missing;
   `confirmation_pace` says when the next confirmation may be mailed.
7. `consent.evidence` words the lines of evidence among them.
8. `database.bulk` inserts each table's rows with one statement.

New, known and suppressed addresses take this same way. `entry` asks the other modules about one
value each: `audience.addresses`, `typos` and `mail_domains` about the address, `form_tokens` and
`proof_of_work` about what the form was signed with, `site_origins` about the site. `forms` has the
fields and the messages for readers.
"""

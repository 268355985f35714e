"""Reads one mail that came back: its kind, the recipient, and the reason. Uses no database.

`returned_mail` decides. It asks `mime` for the parts, `dsn_and_arf` for machine-readable reports,
`ses_notices` for those of Amazon SES, `prose` for what is written for people, and `marks` for words
and header fields of automatic answers. `reasons` says why a mail came back.

Everything here is bounded in time and memory, whatever the octets are: anybody can send them.
"""

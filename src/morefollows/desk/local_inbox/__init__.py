"""The mails in the local inbox, as a mail program would show them."""

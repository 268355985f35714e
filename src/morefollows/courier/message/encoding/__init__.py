"""How mails stand on the wire: text and HTML (`bodies`), and the header (`header_fields`)."""

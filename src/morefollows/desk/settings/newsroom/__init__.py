"""The newsroom: names, sender, addresses, languages and time zone."""

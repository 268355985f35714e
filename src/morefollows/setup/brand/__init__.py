"""The newsroom's brand: its colours with their contrast, and what mails and pages take of it."""

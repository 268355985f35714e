"""Mail messages (.eml) as news items."""

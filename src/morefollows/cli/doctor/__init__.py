"""`doctor`: examines the installation, its DNS records and its evidence."""

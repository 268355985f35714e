"""What became of an alert: its progress, curve, report and end, and the packing of old ones."""

"""Sending again after a restored backup."""

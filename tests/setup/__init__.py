"""Tests of what the newsroom sets up."""

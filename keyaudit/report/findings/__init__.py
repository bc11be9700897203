"""Findings in order, by cause and in groups, as text for people."""

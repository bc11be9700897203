"""Exported logs: archives, and JSON and CSV files inside."""

"""Destinations of audit logs, their retention, and alert rules."""

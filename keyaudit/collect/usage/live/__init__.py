"""Logs read from Azure itself: the same records as in exported files, told by the same readers."""

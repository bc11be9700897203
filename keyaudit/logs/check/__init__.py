"""Compares a window of logs with the baseline."""

"""Policies over an inventory: verdicts, counts, causes and findings."""

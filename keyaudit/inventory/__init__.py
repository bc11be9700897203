"""What was read: the spool while collecting, the ledger of what was attempted, the snapshot on disk and its views."""

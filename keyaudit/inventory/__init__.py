"""The inventory: the spool during collection, the coverage ledger, the snapshot on disk and its views."""

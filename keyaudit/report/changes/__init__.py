"""What changed between snapshots and versions, and who is notified of it."""

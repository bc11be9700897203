"""Where a command takes its data from: a tenant, a snapshot, or a folder of snapshots."""

"""The evidence bundle: a folder for an auditor, written atomically, with a manifest of all file digests."""

"""Azure Monitor: Log Analytics and ingestion."""

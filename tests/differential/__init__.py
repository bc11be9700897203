"""The differential of two engines: whatever DuckDB answers about a snapshot, the other one answers row for row."""

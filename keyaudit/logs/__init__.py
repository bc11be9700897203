"""Reads exported logs into uses: one module per kind of record, and one per file format."""

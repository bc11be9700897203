"""Reads logs from Azure, with the same record readers as for exported files."""

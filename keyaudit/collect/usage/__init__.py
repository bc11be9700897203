"""Logs as people have them in files, read into uses: one file a kind of record, and one a kind of file."""

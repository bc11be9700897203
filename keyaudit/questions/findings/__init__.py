"""Questions about findings, for assistants."""

"""The rows whose verdict is not yet as expected, and what has to change. A row that becomes right has to leave this list."""

ORDINARY: dict[str, str] = {}

ABUSED: dict[str, str] = {}

"""The rows whose verdict is not yet as expected, and what has to change. A row that becomes right has to leave this list."""

_NO_SECRET_NEEDED = "a credential on an object that needs none: no policy finds a live credential by what it opens"

ORDINARY: dict[str, str] = {}

ABUSED = {
    "12": _NO_SECRET_NEEDED,
    "41": "an identity of a service that may sign with the key that it wraps with is not found",
}

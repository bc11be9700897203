"""Recorded answers of Azure, and what of an answer is compared with them: its shape."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent / "recorded"


def bodies(name: str, path: str, status: int = 200, method: str = "GET") -> list[Any]:
    """Bodies of the recorded answers to requests whose path holds `path`."""
    exchanges = json.loads((_FOLDER / f"{name}.json").read_text())["exchanges"]
    found = [
        exchange["response"]["body"]
        for exchange in exchanges
        if exchange["request"]["method"] == method
        and path in exchange["request"]["path"]
        and exchange["response"]["status"] == status
    ]
    assert found, f"{name} has no {method} {path} {status}"
    return found


def headers(name: str, status: int) -> dict[str, str]:
    """Headers of the first recorded answer with that status, by name in lower case."""
    exchanges = json.loads((_FOLDER / f"{name}.json").read_text())["exchanges"]
    found = next(exchange["response"]["headers"] for exchange in exchanges if exchange["response"]["status"] == status)
    return {header.lower(): value for header, value in found.items()}


def shape(value: Any) -> Any:
    """Members in their order, with null, an empty list and a type told apart; of a list its first item."""
    if isinstance(value, dict):
        return [(name, shape(member)) for name, member in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__

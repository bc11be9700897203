"""Conditions of role assignments: whether one lets a data action on a secret of a vault through, by its name.

https://learn.microsoft.com/azure/key-vault/general/rbac-abac and
https://learn.microsoft.com/azure/role-based-access-control/conditions-format
"""

import fnmatch
import re
from collections.abc import Callable, Mapping

GET_SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"  # noqa: S105 - an action
"""The data action that reads a secret's value, and with it the private key of an exportable certificate."""

_TOKEN = re.compile(
    r"\s*(?:(?P<sign>\(|\)|!|AND\b|OR\b|&&|\|\|)|ActionMatches\s*\{\s*'(?P<action>[^']*)'\s*\}"
    r"|@(?P<side>\w+)\s*\[(?P<attribute>[^\]]*)\]\s*(?P<operator>[\w:]+)\s*(?P<value>'[^']*'|\{[^}]*\}|[\w.-]+)"
    r"|(?P<other>\w+\s*\{[^}]*\}))\s*",
    re.ASCII | re.IGNORECASE,
)
_NAMES = {"microsoft.keyvault/vaults:name": "vault", "microsoft.keyvault/vaults/secrets:name": "secret"}
_AND, _OR = frozenset({"AND", "&&"}), frozenset({"OR", "||"})


def _like(value: str, pattern: str) -> bool:
    """With * for any text and ? for one character, as StringLike has them."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": str.__eq__,
    "startswith": str.startswith,
    "like": _like,
}
_OPERATOR = re.compile(r"String(?P<negated>Not)?(?P<test>Equals|StartsWith|Like)(?P<folded>IgnoreCase)?", re.IGNORECASE)


class _SyntaxError(ValueError):
    """A condition in a form that is not read."""


def lets_through(condition: str, action: str, *, vault: str | None, secret: str) -> bool | None:
    """Whether it is met for an action on that secret; None where that cannot be told. Names count with their case.

    `vault`: the name of its vault, if it is known.
    """
    try:
        reading = _Reading(condition, action, {"vault": vault, "secret": secret})
        found = reading.either()
    except _SyntaxError:
        return None
    return None if reading.left else found


class _Reading:
    """Evaluates a condition while it is read: three-valued, since other attributes cannot be told."""

    def __init__(self, condition: str, action: str, names: Mapping[str, str | None]) -> None:
        self._action, self._names = action.lower(), names
        self._tokens: list[re.Match[str]] = []
        place = 0
        while place < len(condition):
            match = _TOKEN.match(condition, place)
            if match is None:
                raise _SyntaxError
            self._tokens.append(match)
            place = match.end()
        self._tokens.reverse()

    @property
    def left(self) -> bool:
        """Whether something follows."""
        return bool(self._tokens)

    def either(self) -> bool | None:
        """Terms with OR between them."""
        found = self._both()
        while self._next(_OR):
            other = self._both()
            found = True if found or other else None if None in (found, other) else False
        return found

    def _both(self) -> bool | None:
        found = self._operand()
        while self._next(_AND):
            other = self._operand()
            found = False if found is False or other is False else None if None in (found, other) else True
        return found

    def _operand(self) -> bool | None:
        if not self._tokens:
            raise _SyntaxError
        token = self._tokens.pop()
        if token["sign"] == "!":
            found = self._operand()
            return None if found is None else not found
        if token["sign"] == "(":
            found = self.either()
            if not self._next(frozenset({")"})):
                raise _SyntaxError
            return found
        if token["action"] is not None:
            return fnmatch.fnmatchcase(self._action, token["action"].lower())
        if token["attribute"] is not None:
            return self._tested(token)
        if token["other"]:
            return None
        raise _SyntaxError

    def _tested(self, token: re.Match[str]) -> bool | None:
        name = _NAMES.get(token["attribute"].strip().lower())
        operator = _OPERATOR.fullmatch(token["operator"])
        if token["side"].lower() != "resource" or name is None or operator is None or not token["value"].startswith("'"):
            return None
        held, value = self._names[name], token["value"][1:-1]
        if held is None:
            return None
        if operator["folded"]:
            held, value = held.lower(), value.lower()
        return _TESTS[operator["test"].lower()](held, value) is not bool(operator["negated"])

    def _next(self, signs: frozenset[str]) -> bool:
        if self._tokens and (self._tokens[-1]["sign"] or "").upper() in signs:
            self._tokens.pop()
            return True
        return False

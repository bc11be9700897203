"""How many tokens of each class have a sign-in record, as a baseline keeps it.

A token's class is the service that logged its use, the application, whether it is a user's, and whether that user is of another
tenant.
"""

# ruff: noqa: S608 - every name in this SQL is declared in this program

CLASS = {"service": "VARCHAR", "app": "VARCHAR", "kind": "VARCHAR", "external": "BOOLEAN"}
RATES = {**CLASS, "ids": "BIGINT", "listed": "BIGINT", "differing": "BIGINT"}
"""The columns, with their SQL types: of `ids` tokens of a class, `listed` have a sign-in record that agrees with their use, and
`differing` one that does not.
"""
BY_CLASS = ", ".join(CLASS)


def added(relation: str) -> str:
    """A query over rates, in which a class may be several times: each once, in order."""
    counts = ", ".join(f"sum({name})::BIGINT AS {name}" for name in RATES if name not in CLASS)
    return f"SELECT {BY_CLASS}, {counts} FROM {relation} GROUP BY {BY_CLASS} ORDER BY {BY_CLASS}"

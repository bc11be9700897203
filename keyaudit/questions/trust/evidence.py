"""The keys that Entra publishes, and whether it publishes the keys that services trust."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from collections import defaultdict
from collections.abc import Sequence

import duckdb

from keyaudit.inventory.facts.sql import EVERY, Sources
from keyaudit.inventory.facts.view import view
from keyaudit.inventory.rows import stored_types
from keyaudit.inventory.views.entra import trusted_key
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import HeldKey
from keyaudit.model.tables.relying_parties import TRUSTED_KEY
from keyaudit.questions.trust.answer import Named, PublishedKey

Compared = list[tuple[bool | None, Reason | None]]
"""Whether each key is published, or why that is unknown."""

_PLACES = {"entra": "tenant"}
"""Display names of key sets that differ from their kind."""
_FACTS = ("thumbprint", "token_issuer", "for_consumers", "starts_on", "expires_on")
_OF_BOTH = f"""
    SELECT kind AS place, key_set, app_id, status, key_id, {", ".join(_FACTS)}, unknown FROM issuer_key
    UNION ALL SELECT authority, NULL, NULL, NULL, key_id, {", ".join(_FACTS)}, unknown FROM shared_key"""


def published(connection: duckdb.DuckDBPyConnection) -> Sequence[PublishedKey]:
    """Every key once, with all key sets that contain it, ordered by expiration date, age and id."""
    principals = (
        "SELECT lower(app_id), min(name) FROM service_principal WHERE app_id IS NOT NULL AND name IS NOT NULL GROUP BY 1"
    )
    names = dict(connection.execute(principals).fetchall())
    # Keys of B2C and of applications are never merged with others.
    together: dict[tuple[object, ...], list[tuple[object, ...]]] = defaultdict(list)
    for row in connection.execute(f"FROM ({_OF_BOTH}) ORDER BY key_id, place, app_id, key_set").fetchall():
        _, key_set, app_id, _, key_id, thumbprint, issuer, *_ = row
        own = str(issuer) if thumbprint is None else ""
        together[thumbprint or key_id, key_set, app_id, own].append(row)
    found = [_key(rows, names) for rows in together.values()]
    return sorted(found, key=lambda key: (_last(key.expires_on), _last(key.starts_on), key.key_id, key.places))


def _last(moment: int | None) -> tuple[bool, int]:
    return (moment is None, moment or 0)


def _key(rows: list[tuple[object, ...]], names: dict[str, str]) -> PublishedKey:
    # The tenant's own row has the most information: shared ones do not name the issuer.
    rows.sort(key=lambda row: row[0] != "entra")
    _, key_set, app_id, status, key_id, *facts, unknown = rows[0]
    told = dict(zip(_FACTS, facts, strict=True))
    places = [_PLACES.get(str(row[0]), str(row[0])) for row in rows]
    return PublishedKey(
        key_id=str(key_id),
        places=tuple(f"b2c {key_set}" if key_set else place for place in dict.fromkeys(places)),
        app_id=_text(app_id),
        app_name=names.get(str(app_id).lower()) if app_id else None,
        disabled=status == "disabled",
        unknown={name: Reason(why) for name, why in dict(unknown or {}).items() if name in _FACTS},  # type: ignore[call-overload]
        **told,  # type: ignore[arg-type]
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def named(connection: duckdb.DuckDBPyConnection) -> frozenset[Named]:
    """The keys in each key set, for comparison with another snapshot."""
    rows = connection.execute(f"SELECT place, coalesce(key_set, app_id), key_id, thumbprint FROM ({_OF_BOTH})").fetchall()
    return frozenset(
        Named(" ".join(filter(None, (_PLACES.get(place, place), of))), key_id, thumbprint)
        for place, of, key_id, thumbprint in rows
    )


def compare(connection: duckdb.DuckDBPyConnection, scope_id: str, keys: Sequence[HeldKey]) -> Compared:
    """Whether Entra publishes each key, or why that is unknown; by the view of `trusted_key.published`."""
    types = stored_types(TRUSTED_KEY)
    told = ("key_id", "thumbprint", "token_issuer")
    columns = {name: [_known(getattr(key, name)) for key in keys] for name in told}
    reasons = {f"{name}_why": [_why(getattr(key, name)) for key in keys] for name in told}
    entries = ", ".join(f"{{'key': '{name}', 'value': {name}_why}}" for name in told)
    stated = {
        "id": "number",
        "scope_id": "scope",
        **{name: name for name in told},
        "unknown": f"map_from_entries(list_filter([{entries}], lambda entry: entry.value IS NOT NULL))",
    }
    given = {"number": [f"{number:08}" for number in range(len(keys))], "scope": [scope_id] * len(keys), **columns, **reasons}
    lists = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in given)
    made = ", ".join(f"{stated.get(name, 'NULL')}::{type_} AS {name}" for name, type_ in types.items())
    connection.execute(f"CREATE TEMP TABLE held AS SELECT {made} FROM (SELECT {lists})", list(given.values()))
    sources = Sources({"trusted_key": "held", "issuer_key": "issuer_key", "shared_key": "shared_key"})
    compared = view("trusted_key", sources, trusted_key.facts(sources), EVERY)
    rows = connection.execute(f"SELECT published, unknown['published'] FROM ({compared}) ORDER BY id").fetchall()
    connection.execute("DROP TABLE held")
    return [(is_there, Reason(why) if why else None) for is_there, why in rows]


def _known(fact: object) -> object:
    return None if isinstance(fact, Refusal) else fact


def _why(fact: object) -> str | None:
    return str(fact.reason) if isinstance(fact, Refusal) else None

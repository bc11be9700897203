"""Resolves what people type to one resource: an id or the beginning of one, an address, a name as reports show it, a bare name.

All commands that take a resource use it, so that a text names the same resource in each.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; what people type is a parameter

import base64
import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum

import duckdb
from msgspec import Struct

from keyaudit.model.errors import UsageError
from keyaudit.model.values import base64url
from keyaudit.model.values.text import listed, one_line

_PLACE = r"https://([a-z0-9-]+)\.[^/]+"
_RESOURCE = r"/subscriptions/.+/providers/microsoft\.keyvault/(?:vaults|managedhsms)/([^/]+)"
_OBJECT = r"/(keys|certificates|secrets)/([^/]+)(?:/([^/]*))?/?"
_ADDRESSES = [re.compile(before + _OBJECT, re.ASCII) for before in (_PLACE, _RESOURCE)]
# "kv-prod/codesign", or "kv-prod/keys/codesign" as reports show it.
_NAMED = re.compile(r"([a-z0-9-]+)/(?:(keys|certificates|secrets)/)?([a-z0-9-]+)(?:/([0-9a-f]{32}))?", re.ASCII)
_VAULT = re.compile(rf"{_PLACE}/?", re.ASCII)
_BEGINNING = re.compile(r"[0-9a-f-]{6,}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})", re.ASCII)
_SHA1, _SHA256 = 20, 32
_MOST = 5
"""The maximum number of matches that are listed."""
_NEAR = 3
_KEY_FORMS = "VAULT/NAME, an address, a thumbprint, a key id, an application's id or exact display name, or a finding's id"
_PRINCIPAL_FORMS = "a vault, VAULT/NAME, an address, a resource id, an object id, a sign-in name or an exact display name"


class Noun(StrEnum):
    """The kinds of resources that have names."""

    VAULT = "vault"
    HSM = "Managed HSM"
    KEY = "key"
    CERTIFICATE = "certificate"
    SECRET = "secret"  # noqa: S105 - a word
    CREDENTIAL = "credential"
    PUBLISHED_KEY = "published key"
    SIGNING_CERTIFICATE = "token-signing certificate"
    APPLICATION = "application"
    PRINCIPAL = "principal"


class Named(Struct, frozen=True, order=True):
    """A resource, under its own id."""

    noun: Noun
    id: str
    """Of an object in a vault, its address without a version; of an application, its client id, or a resource id if it has
    none; of a principal, its object id; of a token-signing certificate, its thumbprint.
    """
    name: str
    vault_id: str = ""
    own_name: str = ""
    """Of an object in a vault, its name there in lower case."""
    version: str = ""
    """The version of it that was named; empty if none was."""


class Address(Struct, frozen=True):
    """An object in a vault, in lower case. `kind` and `version` are empty where they were not named."""

    vault: str
    kind: str
    name: str
    version: str = ""


def address(asked: str) -> Address | None:
    """The object in a vault that `asked` is the address of, or names as VAULT/NAME."""
    text = asked.strip().lower()
    match = next(filter(None, (form.fullmatch(text) for form in (*_ADDRESSES, _NAMED))), None)
    return Address(*match.groups(default="")) if match else None


class Names:
    """The names in a snapshot.

    `stored`: by table, the relation of its stored rows that a query on `connection` reads.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, stored: Mapping[str, str]) -> None:
        self._connection, self._stored = connection, stored

    def resolve(self, asked: str, nouns: Collection[Noun]) -> Named | None:
        """The resource of one of these kinds that `asked` names; None if there is none.

        Exact ids and names come before bare names of objects in vaults, and these before the beginnings of ids.
        Raises UsageError if there are several, with their ids, or if it names only a resource of another kind.
        """
        others: set[Named] = set()
        for search in (self._exact, self._bare, self._begun):
            matches = set(search(asked.strip()))
            meant = sorted(each for each in matches if each.noun in nouns)
            if len(meant) > 1:
                raise UsageError(shown(asked), f"names {len(meant):,} things: {_ids(meant)}", "use one of these ids")
            if meant:
                return meant[0]
            others |= matches
        if others:
            hint = f"this command takes {listed([f'{noun}s' for noun in Noun if noun in nouns])}"
            raise UsageError(shown(asked), f"names {_ids(sorted(others))}", hint)
        return None

    def unknown(self, asked: str, nouns: Collection[Noun]) -> UsageError:
        """The error for a text that names nothing, with the nearest names."""
        names = {name.lower(): name for name in self._near(asked, nouns)}
        near = [names[each] for each in difflib.get_close_matches(asked.strip().lower(), sorted(names), n=_NEAR)]
        forms = _PRINCIPAL_FORMS if Noun.PRINCIPAL in nouns else _KEY_FORMS
        return unknown(asked, f"did you mean {' or '.join(map(one_line, near))}?" if near else f"name {forms}")

    def _exact(self, text: str) -> Iterator[Named]:
        if named := address(text):
            yield from self._objects(named)
        lower = text.lower()
        place = _VAULT.fullmatch(lower)
        yield from self._vaults(place[1] if place else lower)
        yield from self._credentials("$text IN (lower(key_id), lower(id))", lower)
        yield from self._published(text)
        yield from self._signing("$text IN (lower(id), lower(holder_name), shown_kind || lower(holder_name))", lower)
        named_so = "$text IN (lower(app_id), lower(id), object_id, lower(name)" + "".join(
            f", '{kind} ' || lower(name)" for kind in ("app registration", "service principal", "managed identity")
        )
        yield from self._applications(f"{named_so})", lower)
        yield from self._principals(f"{named_so}, lower(user_principal_name))", lower)

    def _bare(self, text: str) -> Iterator[Named]:
        """Objects of any vault by their own name."""
        yield from self._objects(Address("", "", text.lower()))

    def _begun(self, text: str) -> Iterator[Named]:
        lower = text.lower()
        if not _BEGINNING.fullmatch(lower):
            return
        yield from self._credentials("starts_with(lower(key_id), $text)", lower)
        yield from self._signing("starts_with(lower(thumbprint), $text) OR starts_with(lower(thumbprint_sha256), $text)", lower)
        begun = "starts_with(lower(app_id), $text) OR starts_with(object_id, $text)"
        yield from self._applications(begun, lower)
        yield from self._principals(begun, lower)

    def _objects(self, named: Address) -> Iterator[Named]:
        """The certificate of that name, otherwise the key, otherwise the secret: a certificate includes both."""
        vaults: set[str] = set()
        for noun, column in ((Noun.CERTIFICATE, "certificate_id"), (Noun.KEY, "key_id"), (Noun.SECRET, "secret_id")):
            if named.kind not in ("", f"{noun}s"):
                continue
            query = f"""
                SELECT DISTINCT {column}, vault_id, vault_name, split_part({column}, '/', 5) FROM {self._stored[noun]}
                WHERE lower(split_part({column}, '/', 5)) = $name AND $vault IN ('', lower(vault_name)) ORDER BY ALL"""
            rows = self._connection.execute(query, {"name": named.name, "vault": named.vault}).fetchall()
            for id_, vault_id, vault_name, name in rows:
                if vault_id not in vaults:
                    yield Named(noun, id_, f"{vault_name or vault_id}/{name}", vault_id, named.name, named.version)
            vaults |= {vault_id for _, vault_id, *_ in rows}

    def _vaults(self, text: str) -> Iterator[Named]:
        query = f"SELECT id, name, kind FROM {self._stored['vault']} WHERE $text IN (lower(name), lower(id))"
        for id_, name, kind in self._rows(query, text):
            yield Named(Noun.HSM if kind == "managed-hsm" else Noun.VAULT, id_, name or id_, id_)

    def _credentials(self, where: str, text: str) -> Iterator[Named]:
        query = f"SELECT id, key_id, holder_name FROM {self._stored['credential']} WHERE {where}"
        for id_, key_id, holder in self._rows(query, text):
            yield Named(Noun.CREDENTIAL, id_, f"{key_id or id_} of {holder or 'an application without a name'}")

    def _published(self, text: str) -> Iterator[Named]:
        # Key ids of tokens are case-sensitive.
        query = f"SELECT DISTINCT key_id FROM {self._stored['issuer_key']} WHERE $text IN (key_id, id)"
        for (key_id,) in self._rows(query, text):
            yield Named(Noun.PUBLISHED_KEY, key_id, key_id)

    def _signing(self, where: str, text: str) -> Iterator[Named]:
        """Certificates of federated domains and identity providers: those of an application are found with it."""
        query = f"""
            SELECT DISTINCT coalesce(thumbprint_sha256, thumbprint), holder_name FROM (
                SELECT *, CASE kind WHEN 'federated-domain' THEN 'federated domain ' WHEN 'external-idp' THEN
                    'identity provider ' END AS shown_kind FROM {self._stored["signing_certificate"]}
            ) WHERE shown_kind IS NOT NULL AND coalesce(thumbprint_sha256, thumbprint) IS NOT NULL AND ({where})"""
        for thumbprint, holder in self._rows(query, text):
            yield Named(Noun.SIGNING_CERTIFICATE, thumbprint, holder or thumbprint)

    def _applications(self, where: str, text: str) -> Iterator[Named]:
        query = f"""
            SELECT coalesce(lower(app_id), id) AS app, any_value(name) FROM (
                SELECT id, app_id, name, split_part(id, '/', -1) AS object_id FROM {self._stored["application"]}
                UNION ALL SELECT id, app_id, name, split_part(id, '/', -1) FROM {self._stored["service_principal"]}
            ) WHERE {where} GROUP BY app"""
        for app, name in self._rows(query, text):
            yield Named(Noun.APPLICATION, app, name or app)

    def _principals(self, where: str, text: str) -> Iterator[Named]:
        query = f"""
            SELECT object_id, any_value(name) FROM (
                SELECT id, object_id, name, app_id, user_principal_name FROM {self._stored["principal"]}
                UNION ALL SELECT id, split_part(id, '/', -1), name, app_id, NULL FROM {self._stored["service_principal"]}
            ) WHERE {where} GROUP BY object_id"""
        for object_id, name in self._rows(query, text):
            yield Named(Noun.PRINCIPAL, object_id, name or object_id)

    def _near(self, asked: str, nouns: Collection[Noun]) -> set[str]:
        """The names to compare a mistyped one with."""
        vault, slash, _ = asked.strip().lower().partition("/")
        if slash:
            parts = [
                f"SELECT vault_name || '/' || split_part({noun}_id, '/', 5) FROM {self._stored[noun]}"
                " WHERE lower(vault_name) = $text"
                for noun in (Noun.CERTIFICATE, Noun.KEY, Noun.SECRET)
                if noun in nouns
            ]
        else:
            named = {"vault": Noun.VAULT, "principal": Noun.PRINCIPAL, "application": Noun.APPLICATION}
            tables = ["service_principal", *(table for table, noun in named.items() if noun in nouns)]
            parts = [f"SELECT name FROM {self._stored[table]} WHERE $text != ''" for table in tables]
        return {name for (name,) in self._rows(" UNION ".join(parts), vault) if name}

    def _rows(self, query: str, text: str) -> list[tuple[str, ...]]:
        return self._connection.execute(f"{query} ORDER BY ALL", {"text": text}).fetchall()


def unknown(asked: str, hint: str) -> UsageError:
    """The error for a text that names nothing."""
    return UsageError(shown(asked), "nothing is known by this name", hint)


def shown(asked: str) -> str:
    """The text in front of an error about it: several commands look names up."""
    return repr(one_line(asked.strip()))


def _ids(named: Sequence[Named]) -> str:
    more = f" and {len(named) - _MOST:,} more" if len(named) > _MOST else ""
    return f"{', '.join(f'{each.noun} {one_line(each.id, 300)}' for each in named[:_MOST])}{more}"


def digest(asked: str) -> str:
    """The digest that `asked` is, in upper-case hex; empty if it is none."""
    plain = re.sub(r"[\s:]", "", asked).lower()
    return (plain if _HEX.fullmatch(plain) else _unencoded(asked.strip()).hex()).upper()


def _unencoded(asked: str) -> bytes:
    """The digest in an x5t or x5t#S256 value (base64url); empty if it is not one."""
    try:
        found = base64url.decoded(asked)
    except ValueError:
        return b""
    exact = base64.urlsafe_b64encode(found).decode().rstrip("=") == asked.rstrip("=")
    return found if len(found) in (_SHA1, _SHA256) and exact else b""

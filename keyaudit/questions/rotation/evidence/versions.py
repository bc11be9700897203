"""The subject of a rotation, and its versions: which is the new one, and which are old."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; what people type is a parameter

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import duckdb
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.inventory.naming import Named, Noun, shown
from keyaudit.model.errors import UsageError
from keyaudit.model.reasons import Reason
from keyaudit.questions.blast_radius.evidence.graph import rows
from keyaudit.questions.blast_radius.evidence.subject import Subject, subject
from keyaudit.questions.rotation.answer import Version

# An old version of a wrapping key is needed for what was wrapped with it.
_WRAPS = frozenset({"encrypt", "decrypt", "wrapKey", "unwrapKey", "secureWrapKey", "secureUnwrapKey", "deriveKey"})
# TLS and code signing: such a certificate's key signs, even where its operations, which Key Vault sets by default, are all.
_SIGNING = frozenset({"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3"})
_DATED = "id, version, created_on, enabled, is_current, unknown"
_NEWEST = "ORDER BY created_on DESC NULLS LAST, id"


class Versions(Struct, frozen=True, kw_only=True):
    """The versions of the object in a vault that rotates. Without such an object there are none."""

    new: Version | None = None
    old: Sequence[Version] = ()
    unsure: Reason | None = None
    digests: Mapping[str, bool] = {}
    """Digests in upper-case hex, SHA-256 of certificates and public keys and SHA-1 of certificates: whether it is the new
    version's. One of both is left out.
    """
    certified: bool = False
    """Whether a certificate has the name of the key, so that it is read as the secret of that name."""
    wraps: bool = False

    def is_new(self, version: str | None) -> bool | None:
        """Whether a version, by its id, is the new one; None if it is not known."""
        if not version or self.unsure is not None:
            return None
        return self.new is not None and version.lower() == self.new.name.lower()


def of_rotation(connection: duckdb.DuckDBPyConnection, asked: str, meant: Named | None) -> Subject:
    """The subject that `asked` names: an object of a vault with all its versions, or credentials in Entra ID.

    `meant`: the resource of that name, if there is one. Raises UsageError if it names nothing that was read.
    """
    found = subject(connection, asked, replace(meant, version="") if meant is not None else None, gone=False)
    if not found.seen:
        raise UsageError(shown(asked), "nothing that was read has it", "name a key, certificate, secret or application")
    if found.keys and not found.key_ids and found.noun != Noun.APPLICATION:
        return _kept(connection, found)
    return found


def _kept(connection: duckdb.DuckDBPyConnection, found: Subject) -> Subject:
    """The certificate of a vault that rotates this one, if there is exactly one."""
    query = """
        SELECT DISTINCT certificate_id, vault_id, vault_name FROM held_certificate
        WHERE list_contains($keys, public_key_sha256) ORDER BY ALL"""
    kept = rows(connection, query, {"keys": sorted(found.keys)})
    if len(kept) != 1:
        return found
    [row] = kept
    name = row["certificate_id"].rpartition("/")[2]
    shown_as = f"{row['vault_name'] or row['vault_id']}/{name}"
    held = Named(Noun.CERTIFICATE, row["certificate_id"], shown_as, row["vault_id"], name.lower())
    return subject(connection, held.id, held, gone=False)


def versions(connection: duckdb.DuckDBPyConnection, found: Subject) -> Versions:
    """The versions of the object of a vault that `found` is."""
    if found.noun == "secret":
        query = f"SELECT {_DATED} FROM secret WHERE secret_id = $id {_NEWEST}"
        return _divided(rows(connection, query, {"id": found.id}))
    if not found.key_ids:
        return Versions()
    ids = sorted(found.key_ids)
    of_keys = rows(connection, f"SELECT {_DATED}, key_ops FROM key WHERE list_contains($ids, key_id) {_NEWEST}", {"ids": ids})
    of_certificates = _certificates(connection, found.key_ids)
    made = _divided(of_certificates if found.noun == "certificate" or not of_keys else of_keys)
    return replace(
        made,
        digests=_digests(of_certificates, made),
        wraps=not _only_signs(of_certificates) and (not of_keys or any(map(_wraps, of_keys))),
        certified=bool(of_certificates),
    )


def _certificates(connection: duckdb.DuckDBPyConnection, ids: Collection[str]) -> list[dict[str, Any]]:
    """The versions of the certificates with the names of these keys."""
    query = f"""
        SELECT {_DATED}, ekus, thumbprint_sha256, public_key_sha256, upper(thumbprint) AS thumbprint FROM certificate
        WHERE list_contains($ids, lower(certificate_id)) {_NEWEST}"""
    names = {id_.lower().replace("/keys/", "/certificates/", 1) for id_ in ids}
    return rows(connection, query, {"ids": sorted(names)})


def _digests(of_certificates: Sequence[Mapping[str, Any]], of: Versions) -> Mapping[str, bool]:
    new: dict[str, set[bool]] = {}
    for row in of_certificates:
        is_new = of.is_new(row["version"])
        for digest in (row["thumbprint_sha256"], row["public_key_sha256"], row["thumbprint"]):
            if digest is not None and is_new is not None:
                new.setdefault(digest, set()).add(is_new)
    return {digest: next(iter(which)) for digest, which in new.items() if len(which) == 1}


def _wraps(row: Mapping[str, Any]) -> bool:
    return row["key_ops"] is None or not _WRAPS.isdisjoint(row["key_ops"])


def _only_signs(of_certificates: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every version is certified for TLS and signing code alone."""
    return bool(of_certificates) and all(row["ekus"] and _SIGNING.issuperset(row["ekus"]) for row in of_certificates)


def _divided(found: Sequence[Mapping[str, Any]]) -> Versions:
    """The current version and all others. With a single version there is no new one."""
    made = [_version(row) for row in found]
    if len(made) == 1:
        return Versions(old=made)
    current = [version for row, version in zip(found, made, strict=True) if row["is_current"]]
    if len(current) != 1:
        reasons = [row["unknown"]["is_current"] for row in found if "is_current" in row["unknown"]]
        return Versions(old=made, unsure=Reason(reasons[0]) if reasons else Reason.NOT_VISIBLE)
    return Versions(new=current[0], old=[each for each in made if each is not current[0]])


def _version(row: Mapping[str, Any]) -> Version:
    reason = row["unknown"].get("enabled")
    return Version(
        id=row["id"],
        name=row["version"] or "",
        created_on=row["created_on"],
        enabled=row["enabled"],
        reason=Reason(reason) if reason else None,
    )

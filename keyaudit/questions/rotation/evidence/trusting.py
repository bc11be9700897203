"""Everything else that accepts or holds an old or the new certificate: signers, authorities, relying parties, copies."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; digests and ids are parameters

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from keyaudit.model.reasons import Reason
from keyaudit.questions.blast_radius.evidence.graph import rows
from keyaudit.questions.blast_radius.evidence.subject import DOUBT, KEY_OF_CERTIFICATE, SAME, Subject, thumbprints_of
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Proof, State, Why
from keyaudit.questions.rotation.evidence.versions import Versions
from keyaudit.questions.rotation.evidence.views import Views

_SIGNERS = {
    "saml": "SAML sign-in to",
    "application": "token signing for",
    "federated-domain": "federated domain",
    "external-idp": "identity provider",
}


def trusting(views: Views, found: Subject, of: Versions) -> Iterator[Consumer]:
    """Those of a subject with a certificate, in the order of their kinds and names."""
    if not found.has_digest:
        return
    by_holder: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in _rows(views.connection, found):
        by_holder[row["kind"], row["holder"]].append(row)
    for held in by_holder.values():
        yield _consumer(held, of, views.read_on)


def _rows(connection: duckdb.DuckDBPyConnection, found: Subject) -> list[dict[str, Any]]:
    # Where no version of a vault tells, a signer's own certificates do.
    of_age = "NULL" if found.key_ids else "unknown['has_successor']"
    what = " ".join(f"WHEN '{kind}' THEN '{words}'" for kind, words in _SIGNERS.items())
    query = f"""
        SELECT '{Kind.SIGNER}' AS kind, holder_id AS holder, holder_name AS name, CASE kind {what} END AS what,
            public_key_sha256, thumbprint_sha256, coalesce({DOUBT}, unknown['active'], {of_age}) AS doubt,
            NULL AS fetched_on, 'read' AS how, has_successor
        FROM signing_certificate WHERE ({SAME}) AND active IS NOT FALSE
        UNION ALL
        SELECT '{Kind.AUTHORITY}', coalesce(store_name, id), coalesce(store_name, id),
            CASE kind WHEN 'application' THEN 'trusted authorities for applications' ELSE 'trusted authorities' END,
            public_key_sha256, thumbprint_sha256, {DOUBT}, NULL, 'read', NULL
        FROM trusted_authority WHERE {SAME}
        UNION ALL
        SELECT '{Kind.COPY}', certificate_id, vault_name || '/' || split_part(certificate_id, '/', 5), 'certificate',
            public_key_sha256, thumbprint_sha256, coalesce({DOUBT}, unknown['enabled'], unknown['is_current']),
            NULL, 'read', NULL
        FROM certificate
        WHERE ({SAME}) AND NOT {KEY_OF_CERTIFICATE} AND enabled IS NOT FALSE AND is_current IS NOT FALSE
        ORDER BY kind, name, holder"""
    made = rows(connection, query, found.digests(key_ids=found.key_ids))
    pinned = """
        SELECT relying_party, held_as, thumbprint, fetched_on FROM trusted_key
        WHERE list_contains($thumbprints, upper(thumbprint)) ORDER BY ALL"""
    by_thumbprint = _digests(connection, found)
    values = {"thumbprints": sorted({*thumbprints_of(connection, found), *by_thumbprint})}
    for row in rows(connection, pinned, values):
        made.append(
            {
                "kind": Kind.RELYING_PARTY,
                "holder": row["relying_party"],
                "name": row["relying_party"],
                "what": "relying party",
                **by_thumbprint.get(row["thumbprint"].upper(), {"public_key_sha256": None, "thumbprint_sha256": None}),
                "doubt": None,
                "fetched_on": row["fetched_on"],
                "how": row["held_as"],
                "has_successor": None,
            }
        )
    return made


def _digests(connection: duckdb.DuckDBPyConnection, found: Subject) -> dict[str, dict[str, Any]]:
    """By SHA-1 thumbprint, the digests of the vault's certificates with these keys."""
    query = """
        SELECT upper(thumbprint) AS thumbprint, public_key_sha256, thumbprint_sha256 FROM certificate
        WHERE thumbprint IS NOT NULL AND list_contains($keys, public_key_sha256) ORDER BY ALL"""
    return {row.pop("thumbprint"): row for row in rows(connection, query, {"keys": sorted(found.keys)})}


def _consumer(held: Sequence[Mapping[str, Any]], of: Versions, read_on: int) -> Consumer:
    kind = Kind(held[0]["kind"])
    is_new = [_is_new(row, of) for row in held]
    reasons = [row["doubt"] for row in held if row["doubt"]]
    if of.unsure is not None:
        reasons.append(of.unsure)
    elif None in is_new and of.new is not None:
        reasons.append(Reason.NOT_STATED)
    if reasons:
        state, why = State.UNKNOWN, Why.UNREAD
    elif True not in is_new:
        state, why = State.NOT_MOVED, Why.HOLDS_OLD
    elif False in is_new and kind is Kind.SIGNER:
        # Both are active: the identity provider may sign with either.
        state, why = State.UNKNOWN, Why.HOLDS_BOTH
    else:
        state, why = State.MOVED, Why.HOLDS_BOTH if False in is_new else Why.HOLDS_NEW
    fetched = [row["fetched_on"] for row in held if row["fetched_on"] is not None]
    of_file = kind is Kind.RELYING_PARTY
    return Consumer(
        kind=kind,
        id=held[0]["holder"],
        name=held[0]["name"] or held[0]["holder"],
        what=held[0]["what"],
        state=state,
        follows=Follows.BY_ITSELF if all(row["how"] == "cache" for row in held) else Follows.BY_HAND,
        why=why,
        proof=Proof.FILE if of_file else Proof.DIRECTORY,
        seen_on=max(fetched, default=None) if of_file else read_on,
        reason=Reason(reasons[0]) if reasons else None,
    )


def _is_new(row: Mapping[str, Any], of: Versions) -> bool | None:
    for digest in (row["thumbprint_sha256"], row["public_key_sha256"]):
        if digest in of.digests:
            return of.digests[digest]
    return None if row["has_successor"] is None else not row["has_successor"]

"""The inventory's keys and certificates as a CycloneDX CBOM, in 1.6 and in 1.7: what there is, not what is wrong with it.

States are those of NIST SP 800-57, as far as metadata shows them. Unknown values are left out and named in a property
`keyaudit:unknown` with its reason, never filled in; what a version of CycloneDX has no member for is a property, too. The BOM
calls itself incomplete where a list that it rests on was not read to its end. Which thing depends on which is in `bom_edges`.
"""

import contextlib
import re
import uuid
from collections.abc import Iterator
from typing import BinaryIO

from keyaudit.model.algorithms import LEAST, LEAST_BY, PLAN, Algorithm, algorithm, last_year
from keyaudit.model.coverage import State
from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Report
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.vaults.key import OUTSIDE
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.formats.bom_edges import Edges, ref_of
from keyaudit.report.members import UNTRUSTED, inert
from keyaudit.report.missing import reads
from keyaudit.report.resource import label, owner, owner_unknown
from keyaudit.report.summary import SIMULATED
from keyaudit.report.tabular.cells import marked
from keyaudit.report.tabular.records import state

Member = dict[str, object]
_HELD = (
    "key", "certificate", "credential", "signing_certificate", "issuer_key", "trusted_authority", "ekm_certificate",
    "account_key", "deleted",
)  # fmt: skip
_LISTS = frozenset(operation for name in _HELD for operation in TABLES[name].listed_by)
_NO_MATERIAL = frozenset({"federated", "vault", "managed-hsm", "secret"})
"""Kinds of credentials and of deleted things that are neither a key nor a certificate."""
_CERTIFICATES = frozenset({"certificate", "signing_certificate", "trusted_authority", "ekm_certificate"})
_SIGNING = frozenset({"credential", "signing_certificate", "issuer_key", "trusted_authority", "ekm_certificate"})
"""Tables of what signs tokens, assertions or certificates; of issuer keys some encrypt tokens, and say so."""
_FUNCTIONS = {"signature": ["sign", "verify"], "pke": ["encrypt", "decrypt"], "block-cipher": ["encrypt", "decrypt"]}
_BITS = {"P-256": 256, "P-384": 384, "P-521": 521, "P-256K": 256}
# As CycloneDX 1.7 registers them; 1.6 recommends the same names.
_CURVES = {"P-256": "nist/P-256", "P-384": "nist/P-384", "P-521": "nist/P-521", "P-256K": "secg/secp256k1"}
_MECHANISMS = {"managed-hsm": "HSM", "vault-hsm": "HSM", OUTSIDE: "HSM", "software": "Software"}
_DATES = {
    "creationDate": ("created_on",),
    "activationDate": ("activates_on", "starts_on"),
    "updateDate": ("updated_on",),
    "expirationDate": ("expires_on",),
}
_VALIDITY = {"notValidBefore": ("not_before", "activates_on", "starts_on"), "notValidAfter": ("not_after", "expires_on")}
# What no member says, as properties.
_PROPERTIES = (
    "custody", "custody_record", "environment", "vault_name", "holder_name", "app_id", "usage", "purpose", "exportable",
    "is_current", "managed", "external_key_id", "active", "issued", "key_version_id", "vault_certificate_id",
    "public_key_sha256", "thumbprint", "thumbprint_sha256", "serial", "signature_hash", "deleted_on", "purge_on",
)  # fmt: skip
_PLAIN = (
    "kind", "state", "kty", "key_type", "key_size", "curve", "parameter_set", "version", "name", "enabled", "subject", "issuer",
)  # fmt: skip
_SAID = frozenset((*_PLAIN, *_PROPERTIES)).union(*_DATES.values(), *_VALIDITY.values())
"""Columns that are named where they are unknown; of the others a CBOM does not speak."""
_LONGEST_VERSION = 1_024
"""Characters, as the schema has it; the id has the version anyway."""
_SHA256 = re.compile("[0-9A-Fa-f]{64}")


def write(report: Report, out: BinaryIO) -> None:
    """Write it as CycloneDX 1.6."""
    _Bom(report, "1.6").write(out)


def write_1_7(report: Report, out: BinaryIO) -> None:
    """Write it as CycloneDX 1.7, which has members for the state and the fingerprint of a certificate."""
    _Bom(report, "1.7").write(out)


class _Bom:
    """One BOM, component by component. What they refer to comes last, and then which depends on which."""

    def __init__(self, report: Report, version: str) -> None:
        self.report, self.version, self.as_of = report, version, report.run.as_of
        self.algorithms: dict[str, Member] = {}
        self.edges = Edges(report)

    def write(self, out: BinaryIO) -> None:
        """Write it whole."""
        with contextlib.closing(self.edges) as edges:
            out.write(b"{\n")
            out.writelines(f"{inert(name)}: {inert(value)},\n".encode("ascii") for name, value in self._head().items())
            out.write(b'"components": [')
            _listed(out, self._components())
            out.write(b'],\n"dependencies": [')
            _listed(out, edges.dependencies(self._root, sorted(self.algorithms)))
            out.write(b"]\n}\n")

    @property
    def _root(self) -> str:
        return f"tenant:{self.report.run.tenant_id}"

    def _head(self) -> Member:
        run = self.report.run
        # Half a surrogate pair is legal in a snapshot's JSON.
        name = f"{run.run_id}:{run.as_of}:{self.version}".encode("utf-8", "surrogatepass").hex()
        return {
            "$schema": f"http://cyclonedx.org/schema/bom-{self.version}.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": self.version,
            "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name)}",
            "version": 1,
            "metadata": {
                "timestamp": times.iso_time(run.as_of),
                "lifecycles": [{"phase": "operations"}],
                "tools": {"components": [{"type": "application", "name": "keyaudit", "version": run.tool_version}]},
                "component": {"type": "platform", "bom-ref": self._root, "name": marked(run) or run.tenant_id},
                "properties": list(self._about()),
            },
            "compositions": [{"aggregate": self._aggregate(), "assemblies": [self._root]}],
        }

    def _about(self) -> Iterator[Member]:
        run = self.report.run
        if run.simulated:
            yield _property("notice", SIMULATED)
        yield _property("untrusted", UNTRUSTED)
        yield _property("run", run.run_id)
        yield _property("tenant", run.tenant_id)
        if not self.report.verdict.expected:
            yield _property("completeness", RELATIVE)
        for gap in self.report.verdict.gaps:
            if _LISTS.intersection(gap.operations):
                name = one_line(gap.scope.name or gap.scope.id)
                yield _property("not-read", f"{name}: {reads(gap.operations)}: {gap.reason}")

    def _aggregate(self) -> str:
        """Whether all that there is was listed."""
        lists = [record for record in self.report.verdict.coverage if record.operation in _LISTS]
        if not lists:
            return "unknown"
        whole = all(record.state is State.ASSESSED or record.reason is Reason.NOT_IN_CLOUD for record in lists)
        return "complete" if whole else "incomplete"

    def _components(self) -> Iterator[Member]:
        for table in _HELD:
            for row in self.report.listing(table).rows():
                facts = Facts(table, row)
                if facts.text("kind") not in _NO_MATERIAL:
                    yield self._component(facts)
        yield from self.edges.dependants()
        for name in sorted(self.algorithms):
            yield self.algorithms[name]

    def _component(self, facts: Facts) -> Member:
        lifecycle, why = _state(facts, self.as_of)
        version = facts.text("version") or ""
        made_by = self._algorithm(facts)
        self.edges.add(facts, made_by)
        beyond: list[Member] = []
        if _is_certificate(facts):
            made = self._certificate(facts, lifecycle, made_by, beyond)
            crypto: Member = {"assetType": "certificate", "certificateProperties": made}
        else:
            made = self._material(facts, lifecycle, made_by, beyond)
            crypto = {"assetType": "related-crypto-material", "relatedCryptoMaterialProperties": made}
        unknown = {**facts.unknown, **({"state": why} if why else {})}
        return {
            "type": "cryptographic-asset",
            "bom-ref": ref_of(facts),
            "name": label(facts),
            **({"version": version} if 0 < len(version) <= _LONGEST_VERSION else {}),
            "cryptoProperties": crypto,
            "properties": [
                _property("table", facts.kind),
                *(_property(name, text) for name in _PROPERTIES if (text := facts.text(name)) is not None),
                *beyond,
                *_owner(facts),
                *(_property("unknown", f"{name}:{reason}") for name, reason in sorted(unknown.items()) if name in _SAID),
            ],
        }

    def _certificate(self, facts: Facts, lifecycle: str | None, made_by: str | None, beyond: list[Member]) -> Member:
        texts = {"subjectName": facts.text("subject"), "issuerName": facts.text("issuer")}
        made: Member = {name: text for name, text in texts.items() if text is not None}
        made |= _dates(facts, _VALIDITY, beyond)
        made["certificateFormat"] = "X.509"
        if self.version == "1.6":
            beyond += [_property("state", lifecycle)] if lifecycle else []
            beyond += [_property("algorithm", made_by)] if made_by else []
            return made
        fingerprint = facts.text("thumbprint_sha256") or ""
        if _SHA256.fullmatch(fingerprint):
            made["fingerprint"] = {"alg": "SHA-256", "content": fingerprint}
        if facts.text("serial"):
            made["serialNumber"] = facts.text("serial")
        if lifecycle:
            made["certificateState"] = [{"state": lifecycle}]
        return {**made, **_dates(facts, {"creationDate": ("created_on",)}, beyond), **self._refers(made_by)}

    def _material(self, facts: Facts, lifecycle: str | None, made_by: str | None, beyond: list[Member]) -> Member:
        made: Member = {"type": _type(facts), "id": facts.text("resource_id") or facts.text("id")}
        if lifecycle:
            made["state"] = lifecycle
        size = facts.integer("key_size") or _BITS.get(facts.text("curve") or "")
        if size:
            made["size"] = size
        mechanism = _MECHANISMS.get(facts.text("custody") or "")
        if mechanism:
            made["securedBy"] = {"mechanism": mechanism}
        return {**made, **_dates(facts, _DATES, beyond), **self._refers(made_by)}

    def _refers(self, made_by: str | None) -> Member:
        if made_by is None:
            return {}
        if self.version == "1.6":
            return {"algorithmRef": made_by}
        return {"relatedCryptographicAssets": [{"type": "algorithm", "ref": made_by}]}

    def _algorithm(self, facts: Facts) -> str | None:
        """The reference of a key's algorithm; None where it is unknown or there is none."""
        if not facts.family:
            return None
        found = algorithm(facts.family, facts.integer("key_size"), facts.text("curve"))
        primitive = _primitive(found, facts)
        ref = f"algorithm:{found.name}" + ("" if found.signs_only or found.symmetric else f":{primitive}")
        if ref not in self.algorithms:
            self.algorithms[ref] = self._described(found, ref, primitive)
        return ref

    def _described(self, found: Algorithm, ref: str, primitive: str) -> Member:
        about: Member = {"primitive": primitive}
        about |= {"parameterSetIdentifier": found.parameters} if found.parameters else {}
        if found.curve in _CURVES:
            about["curve" if self.version == "1.6" else "ellipticCurve"] = _CURVES[found.curve]
        about |= {"cryptoFunctions": _FUNCTIONS[primitive]} if primitive in _FUNCTIONS else {}
        about |= {"classicalSecurityLevel": found.classical} if found.classical is not None else {}
        about |= {"nistQuantumSecurityLevel": found.quantum} if found.quantum is not None else {}
        crypto: Member = {"assetType": "algorithm", "algorithmProperties": about}
        year, weak = last_year(found), found.classical is not None and found.classical < LEAST
        until = f"{year} ({PLAN})" if year else f"no longer allowed ({LEAST_BY})" if weak else ""
        why = Reason.NOT_SUPPLIED if found.symmetric else Reason.UNRECOGNISED
        return {
            "type": "cryptographic-asset",
            "bom-ref": ref,
            "name": found.name,
            "cryptoProperties": {**crypto, **({"oid": found.oid} if found.oid else {})},
            "properties": [
                *([_property("security-levels", found.standard)] if found.standard else []),
                *([_property("allowed-until", until)] if until else []),
                *(_property("unknown", f"{name}:{why}") for name in found.unknown),
            ],
        }


def _listed(out: BinaryIO, members: Iterator[Member]) -> None:
    """The members of a list, one a line."""
    comma = ""
    for member in members:
        out.write(f"{comma}\n{inert(member)}".encode("ascii"))
        comma = ","
    out.write(b"\n" if comma else b"")


def _primitive(found: Algorithm, facts: Facts) -> str:
    """What the algorithm does, by what its key is for where it can do several things."""
    if found.signs_only:
        return "signature"
    if found.symmetric:
        return "block-cipher"
    if facts.kind in _SIGNING:
        return "pke" if facts.text("use") == "enc" else "signature"
    allowed = facts.row.get("key_ops")
    if not isinstance(allowed, list) or not allowed:
        return "unknown"
    signs, encrypts = bool({"sign", "verify"} & set(allowed)), bool({*allowed} - {"sign", "verify", "import", "export"})
    return "other" if signs and encrypts else "signature" if signs else "pke" if encrypts else "unknown"


def _property(name: str, text: str) -> Member:
    return {"name": f"keyaudit:{name}", "value": text}


def _is_certificate(facts: Facts) -> bool:
    kind = facts.text("kind")
    if facts.kind == "issuer_key":
        return facts.text("thumbprint_sha256") is not None
    return facts.kind in _CERTIFICATES or (facts.kind in {"credential", "deleted"} and kind == "certificate")


def _type(facts: Facts) -> str:
    """The type of material: `key` if it is unknown which half it is, or whether it has halves."""
    kind, family = facts.text("kind"), facts.text("kty")
    if facts.kind == "key" and family:
        return "secret-key" if family.startswith("oct") else "private-key"
    if facts.kind == "credential":
        return {"password": "password", "symmetric-key": "secret-key"}.get(kind or "", "credential")
    return {"issuer_key": "public-key", "account_key": "secret-key"}.get(facts.kind, "key")


def _state(facts: Facts, as_of: int) -> tuple[str | None, Reason | None]:
    """As `records.state`, and for what has no end: a deleted thing can come back, and an account may refuse its keys."""
    if facts.kind == "deleted":
        return "deactivated", None
    if facts.kind == "account_key":
        allowed = facts.row.get("local_auth_enabled")
        reason = facts.unknown.get("local_auth_enabled")
        return (None, reason) if reason else ("active" if allowed else "suspended", None)
    found, reason = state(facts, as_of)
    if facts.row.get("issued") is False:
        return "pre-activation", None
    return ("suspended" if found == "active" and facts.row.get("status") == "disabled" else found), reason


def _dates(facts: Facts, members: dict[str, tuple[str, ...]], beyond: list[Member]) -> Member:
    """The dates that there are. `beyond` gets those that no date-time can say."""
    found: Member = {}
    for member, columns in members.items():
        text = next(filter(None, map(facts.text, columns)), None)
        if text is None:
            continue
        if text[0] in "+-":
            beyond.append(_property(member, text))
        else:
            found[member] = text
    return found


def _owner(facts: Facts) -> Iterator[Member]:
    reason = owner_unknown(facts)
    if reason:
        yield _property("unknown", f"owner:{reason}")
    name, source = owner(facts)
    if name and source:
        yield _property("owner", name)
        yield _property("owner-source", source)

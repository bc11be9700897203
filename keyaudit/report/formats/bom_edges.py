"""Which thing of a bill of cryptography depends on which: algorithm <- key <- certificate <- application or service.

A relying party depends on the certificate by which it accepts tokens. What is in no dependency has unknown ones, as CycloneDX
defines it: so what surely depends on nothing is listed with none.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import IO

from keyaudit.model.results.run import Report
from keyaudit.report.facts import Facts

Member = dict[str, object]

_IN_MEMORY = 8_000_000
"""Bytes of dependencies that are kept in memory; of more, the rest waits in a file."""
_RELIES = frozenset({"saml", "federated-domain", "external-idp"})
"""Kinds of token-signing certificates whose holder is what accepts the tokens."""


def ref_of(facts: Facts) -> str:
    """A row's reference in the bill: its table and its id."""
    return f"{facts.kind}:{facts.text('id')}"


class Edges:
    """Takes each row that becomes a component, keys before certificates before credentials; then it knows every dependency."""

    def __init__(self, report: Report) -> None:
        """The keys and certificates to look for are known from the rows that point to them."""
        self._report = report
        self._sought = {each for name, column in _POINTING for each in _texts(report, name, column)}
        self._found: dict[str, str] = {}
        """References of keys and certificates that something points to, by what points: an id, or a key without its version."""
        self._written = _spool()
        self._dependants: dict[str, Member] = {}
        self._needed: dict[str, dict[str, None]] = defaultdict(dict)
        self._issuers: dict[str, str] = {}
        self._by_client: dict[str, dict[str, None]] = defaultdict(dict)
        """References of applications by client id."""

    def add(self, facts: Facts, made_by: str | None) -> None:
        """A row, and the reference of its algorithm; None where that is unknown or it has none."""
        ref, id_ = ref_of(facts), facts.text("id") or ""
        below = made_by
        match facts.kind:
            case "key":
                self._note_key(facts, ref)
            case "certificate":
                below = self._found.get(facts.text("key_version_id") or "", made_by)
                if id_ in self._sought:
                    self._found[id_] = ref
            case "credential":
                below = self._found.get(facts.text("vault_certificate_id") or "", made_by)
                self._hold("application", facts, ref)
            case "signing_certificate":
                self._hold("relying-party" if facts.text("kind") in _RELIES else "application", facts, ref)
            case "issuer_key":
                self._issuers |= {name: ref for column in ("key_id", "thumbprint") if (name := facts.text(column))}
            case "account_key":
                self._need("service", facts.text("account_id") or id_, facts.text("name"), ref)
        if below is not None or _without_algorithm(facts):
            self._written.write(json.dumps(_dependency(ref, [below] if below else ())) + "\n")

    def dependants(self) -> Iterator[Member]:
        """The applications, agents, services and relying parties, as components."""
        for use in _rows(self._report, "key_use"):
            key, version = use.text("key_id"), use.text("version") if use.row.get("pinned") else None
            found = self._found.get(f"{key}/{version}" if version else key or "")
            if found:
                self._need("service", use.text("consumer_id") or "", use.text("name"), found)
        for trusted in _rows(self._report, "trusted_key"):
            found = next(
                (self._issuers[name] for name in map(trusted.text, ("key_id", "thumbprint")) if name in self._issuers), ""
            )
            party = trusted.text("relying_party")
            if found and party:
                self._need("relying-party", party, party, found)
        for agent in _rows(self._report, "agent"):
            # Its blueprint's credentials sign it in.
            for held in self._by_client.get((agent.text("blueprint_app_id") or "").lower(), ()):
                self._need("agent", agent.text("id") or "", agent.text("name"), held)
        yield from self._dependants.values()

    def dependencies(self, root: str, algorithms: Iterable[str]) -> Iterator[Member]:
        """Every dependency, once `dependants` was read to its end. `root`: the tenant, which accepts what its issuer keys sign.

        `algorithms` depend on nothing.
        """
        if self._issuers:
            yield _dependency(root, sorted(set(self._issuers.values())))
        for ref, needed in self._needed.items():
            yield _dependency(ref, needed)
        self._written.seek(0)
        yield from map(json.loads, self._written)
        for ref in algorithms:
            yield _dependency(ref, ())

    def close(self) -> None:
        """Give up what was put aside."""
        self._written.close()

    def _note_key(self, facts: Facts, ref: str) -> None:
        id_, key = facts.text("id") or "", facts.text("key_id") or ""
        for name in (id_, f"{key}/{facts.text('version')}", *([key] if facts.row.get("is_current") else [])):
            if name in self._sought or key in self._sought:
                self._found[name] = ref

    def _hold(self, kind: str, facts: Facts, ref: str) -> None:
        holder, client = facts.text("holder_id") or "", facts.text("app_id")
        self._need(kind, holder, facts.text("holder_name"), ref, client)
        if client and kind == "application":
            self._by_client[client.lower()][f"{kind}:{holder}"] = None

    def _need(self, kind: str, id_: str, name: str | None, ref: str, client: str | None = None) -> None:
        if not id_:
            return
        own = f"{kind}:{id_}"
        self._needed[own][ref] = None
        if own not in self._dependants:
            about = [{"name": "keyaudit:app_id", "value": client}] if client else []
            self._dependants[own] = {
                "type": "application",
                "bom-ref": own,
                "name": name or id_,
                "properties": [{"name": "keyaudit:table", "value": kind}, {"name": "keyaudit:id", "value": id_}, *about],
            }


_POINTING = (("certificate", "key_version_id"), ("credential", "vault_certificate_id"), ("key_use", "key_id"))
"""Columns that hold the id of a key or of a certificate, by table."""


def _dependency(ref: str, needed: Iterable[str]) -> Member:
    return {"ref": ref, "dependsOn": list(needed)}


def _spool() -> IO[str]:
    """A file that lives as long as the bill is written."""
    return tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="ascii")


def _rows(report: Report, name: str) -> Iterator[Facts]:
    return (Facts(name, row) for row in report.listing(name).rows())


def _texts(report: Report, name: str, column: str) -> Iterator[str]:
    return (text for facts in _rows(report, name) if (text := facts.text(column)))


def _without_algorithm(facts: Facts) -> bool:
    """It surely has none: a client secret, a key of another service, or a deleted resource, whose name alone is left."""
    return facts.text("kind") in {"password", "symmetric-key"} or facts.kind == "account_key"

"""The certificates of one vault, every version, with their policies."""

from collections.abc import Callable, Collection, Mapping, Sequence

from keyaudit.collect.key_vault.certificate_policy import AS_MADE, Policy, put_policy
from keyaudit.collect.key_vault.certificate_rows import (
    FACTS,
    CertificateBundle,
    CertificateItem,
    created_on,
    put_attributes,
    put_certificate,
    put_unread,
    thumbprint,
)
from keyaudit.collect.key_vault.key_versions import Key
from keyaudit.collect.key_vault.names import Named, named
from keyaudit.collect.key_vault.versioned import FetchedObjects, Wrong
from keyaudit.collect.places import Vault
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.certificate import CERTIFICATE

OPERATIONS = ("certificate.list", "certificate.versions", "certificate.get")

LISTED = ("enabled", "created_on", "updated_on", "activates_on", "expires_on", "tags", "thumbprint")
"""The columns that a list of versions shows of a certificate that is issued."""
COPIED = ("issued", "key_version_id", *FACTS)
"""The columns that are copied from an earlier run where the others are equal."""

_Certificate = Key[CertificateItem, CertificateBundle]


async def collect_certificates(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write a row per certificate version to `unit`. Returns the coverage of `OPERATIONS`."""
    return await _Certificates(reading, unit, vault, OPERATIONS).collect()


class _Certificates(FetchedObjects[CertificateItem, CertificateBundle]):
    table, item, bundle = CERTIFICATE, CertificateItem, CertificateBundle

    def __init__(self, reading: Reading, unit: Unit, vault: Vault, operations: Sequence[str]) -> None:
        super().__init__(reading, unit, vault, operations)
        earlier = reading.earlier
        self._earlier = earlier
        self._known = earlier.certificates(vault.scope.id, (*LISTED, *COPIED, *AS_MADE)) if earlier else {}

    def _identifier(self, found: CertificateItem) -> str:
        return found.id

    def _named_in(self, found: CertificateBundle) -> Named:
        return named(found.id, self.uri, self._collection)

    def _has_versions(self, current: CertificateBundle | Refusal) -> bool:
        """A certificate that is not issued may have none."""
        return isinstance(current, Refusal) or current.issued

    def _put_item(self, row: Row, item: CertificateItem) -> None:
        put_attributes(row, item.attributes, issued=item.issued)
        row.put("tags", item.tags)
        if item.issued:
            row.put_read("thumbprint", thumbprint(item.x5t))

    def _put_answer(self, row: Row, answer: CertificateBundle) -> None:
        put_attributes(row, answer.attributes, issued=answer.issued)
        row.put("tags", answer.tags)
        if answer.issued:
            row.put_read("thumbprint", thumbprint(answer.x5t))

    async def _writer(self, found: _Certificate, wrong: Wrong) -> Callable[[str, CertificateBundle | Refusal], None]:
        return lambda version, answer: self._write(found, version, answer, wrong.get(version, ()))

    def _write(
        self, certificate: _Certificate, version: str, answer: CertificateBundle | Refusal, wrong: Collection[str]
    ) -> None:
        found = Named(certificate.name, version)
        if isinstance(answer, Refusal):
            item = certificate.versions.get(version, certificate.item)
            row = self._row(found, "certificate.versions" if version else "certificate.list", item.id)
            put_unread(row, item, answer.reason)
            self._put_item(row, item)
        else:
            row = self._row(found, "certificate.get", answer.id)
            self._put_answer(row, answer)
            put_certificate(row, answer, self.uri)
        row.refuse(wrong, Reason.INCONSISTENT)
        if not version:
            row.put_read("version", answer if isinstance(answer, Refusal) else None)
        # There is one policy for all versions, which the current version's answer must contain.
        self._finish(certificate, row, version, answer if isinstance(certificate.current, Refusal) else certificate.current)

    def _unchanged_versions(self, found: _Certificate) -> Mapping[str, Mapping[str, object]]:
        """Older versions that a list shows as an earlier run read them: every change of a version changes its `updated` time.

        https://learn.microsoft.com/azure/key-vault/certificates/about-certificates
        """
        if self._earlier is None or isinstance(found.current, Refusal) or found.unlisted:
            return {}
        taken: dict[str, Mapping[str, object]] = {}
        for version, item in found.versions.items():
            row = self._copy(found.name, version, item)
            known = self._known.get(str(row.values["id"]))
            if version != found.current_version and known and item.issued and _same(row, known):
                taken.update({version: known} if self._earlier.settled(known["updated_on"]) else {})
        return taken

    def _take_over_version(self, found: _Certificate, version: str, known: Mapping[str, object]) -> None:
        row = self._row(Named(found.name, version), "certificate.get", found.versions[version].id)
        self._put_item(row, found.versions[version])
        for column in COPIED:
            row.put(column, known[column])
        self._finish(found, row, version, found.current)

    def _finish(self, certificate: _Certificate, row: Row, version: str, told: CertificateBundle | Refusal) -> None:
        policy = told if isinstance(told, Refusal) else read(told.policy, Policy)
        put_policy(row, policy, self._known.get(str(row.values["id"]), {}))
        row.put_read("versions_listed", certificate.versions_listed)
        row.put_read("is_current", certificate.is_current(version, lambda item: created_on(item.attributes), self._unit.latest))
        self._unit.row("certificate", row.finish())


def _same(row: Row, known: Mapping[str, object]) -> bool:
    """Whether a list shows a version as an earlier run read it, and that run read all of it."""
    unread = known["unknown"]
    whole = isinstance(unread, Mapping) and unread.keys().isdisjoint((*LISTED, *COPIED))
    return whole and all(column not in row.unknown and row.values.get(column) == known[column] for column in LISTED)

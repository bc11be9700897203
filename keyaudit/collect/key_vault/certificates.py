"""The certificates of one vault, every version, with what their policies say."""

from collections.abc import Sequence

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.key_vault.certificate_policy import Policy, put_policy
from keyaudit.collect.key_vault.certificate_rows import (
    CertificateBundle,
    CertificateItem,
    created_on,
    put_attributes,
    put_certificate,
    put_listed,
)
from keyaudit.collect.key_vault.data_plane import bad_uri, object_row, was_deleted
from keyaudit.collect.key_vault.key_versions import Key, Listed, agreed
from keyaudit.collect.key_vault.names import Named, named, object_id, version_named
from keyaudit.collect.places import Vault, source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.certificate import CERTIFICATE

OPERATIONS = ("certificate.list", "certificate.versions", "certificate.get")

_Certificate = Key[CertificateItem, CertificateBundle]


async def collect_certificates(reading: Reading, unit: Unit, vault: Vault) -> Sequence[Coverage]:
    """Write a row per certificate version to `unit`; the coverage of `OPERATIONS`.

    Of a vault that was deleted meanwhile no row is kept.
    """
    return await _Certificates(reading.connection, unit, vault).collect(reading.at_once)


class _Certificates:
    def __init__(self, connection: Connection, unit: Unit, vault: Vault) -> None:
        self._connection = connection
        self._gateway = connection.gateway
        self._unit = unit
        self._vault = vault
        self._uri = "" if isinstance(vault.uri, Refusal) else vault.uri
        self._list = Calls(vault.scope, "certificate.list")
        self._versions = Calls(vault.scope, "certificate.versions", per_object=True)
        self._get = Calls(vault.scope, "certificate.get", per_object=True)

    async def collect(self, at_once: int) -> Sequence[Coverage]:
        problem = bad_uri(self._vault, self._connection.environment)
        if problem:
            self._list.refused(problem)
        else:
            listing = self._gateway.pages("certificate.list", CertificateItem, by=self._name_of, host=self._uri)
            await for_each(listing, self._certificate, limit=at_once)
            await for_each(listing.copies(), self._certificate, limit=at_once)
            self._list.ended(listing.end)
        if await was_deleted(self._gateway, self._vault, (self._list, self._versions, self._get)):
            self._unit.discard()
            return not_assessed(self._vault.scope, OPERATIONS, Reason.VANISHED)
        parent = self._list.coverage()
        return [parent, self._versions.coverage(parent), self._get.coverage(parent)]

    def _name_of(self, item: CertificateItem) -> str:
        return named(item.id, self._uri, "certificates").name.lower()

    async def _certificate(self, item: CertificateItem) -> None:
        name = named(item.id, self._uri, "certificates").name
        # Versions first: one made in between is then missing from the list, and the GET shows it.
        versions, unlisted = await self._list_versions(name)
        current = await self._get_version(name, "")
        current_version = "" if isinstance(current, Refusal) else named(current.id, self._uri, "certificates").version
        # A certificate that is not issued yet need not have a version.
        if isinstance(current, Refusal) or current.issued:
            versions, unlisted = await agreed(
                (versions, unlisted), current_version, lambda: self._list_versions(name), self._versions
            )
        certificate = _Certificate(
            name=name,
            item=item,
            versions=versions,
            unlisted=unlisted,
            current=current,
            current_version=current_version,
        )
        await certificate.each(
            lambda version: self._get_version(name, version),
            lambda version, answer: self._write(certificate, version, answer),
        )

    async def _list_versions(self, name: str) -> Listed[CertificateItem]:
        def version_of(item: CertificateItem) -> str:
            return version_named(item.id, self._uri, "certificates", name).version

        listing = self._gateway.pages("certificate.versions", CertificateItem, by=version_of, host=self._uri, certificate=name)
        versions = await distinct(listing, version_of)
        self._versions.ended(listing.end)
        return versions, why_incomplete(listing.end)

    async def _get_version(self, name: str, version: str) -> CertificateBundle | Refusal:
        found = await self._gateway.get("certificate.get", CertificateBundle, host=self._uri, certificate=name, version=version)
        if isinstance(found, CertificateBundle) and not self._answers(found, Named(name, version)):
            found = Refusal(Reason.BAD_BODY, "it answered with another certificate than the one asked for", 200)
        if isinstance(found, Refusal):
            self._get.refused(found)
        else:
            self._get.answered()
        return found

    def _answers(self, bundle: CertificateBundle, asked: Named) -> bool:
        try:
            found = named(bundle.id, self._uri, "certificates")
        except ValueError:
            return False
        if found.name.lower() != asked.name.lower():
            return False
        return found.version == asked.version if asked.version else bool(found.version) or not bundle.issued

    def _write(self, certificate: _Certificate, version: str, answer: CertificateBundle | Refusal) -> None:
        if isinstance(answer, Refusal):
            item = certificate.versions.get(version, certificate.item)
            row = self._row(
                Named(certificate.name, version), "certificate.versions" if version else "certificate.list", item.id
            )
            put_attributes(row, item.attributes, issued=item.issued)
            put_listed(row, item, answer.reason)
            row.put("tags", item.tags)
        else:
            row = self._row(Named(certificate.name, version), "certificate.get", answer.id)
            put_attributes(row, answer.attributes, issued=answer.issued)
            put_certificate(row, answer, self._uri)
            row.put("tags", answer.tags)
        if version:
            row.put("version", version)
        else:
            row.put_read("version", answer if isinstance(answer, Refusal) else None)
        # There is one policy for all versions; the current version's answer is the one that has to hold it.
        told = answer if isinstance(certificate.current, Refusal) else certificate.current
        put_policy(row, told if isinstance(told, Refusal) else read(told.policy, Policy))
        row.put_read("versions_listed", certificate.versions_listed)
        row.put_read("is_current", certificate.is_current(version, lambda item: created_on(item.attributes), self._unit.latest))
        self._unit.row("certificate", row.finish())

    def _row(self, certificate: Named, operation: str, resource_id: str) -> Row:
        segments = {"certificate": certificate.name} if operation != "certificate.list" else {}
        if operation == "certificate.get":
            segments["version"] = certificate.version
        url, api_version = source(self._connection.environment, operation, host=self._uri, **segments)
        id_ = object_id(self._uri, "certificates", certificate)
        row = object_row(CERTIFICATE, self._vault, id_=id_, resource_id=resource_id, url=url, version=api_version)
        row.put("name", certificate.name)
        row.put("certificate_id", object_id(self._uri, "certificates", Named(certificate.name)))
        row.put("vault_name", self._vault.name)
        return row

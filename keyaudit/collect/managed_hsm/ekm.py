"""A Managed HSM's connection to an external key manager (EKM): the certificates that both sides know each other by."""

from collections.abc import Sequence

from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.certificates import certificate_of, put_dated
from keyaudit.collect.places import Vault, source
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire
from keyaudit.collect.x509 import X509
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.ekm_certificate import EKM_CERTIFICATE

OPERATIONS = ("hsm.ekm.get", "hsm.ekm.certificate")
_NO_CHAIN = Refusal(Reason.BAD_VALUE, "it lists no certificate authority, and no connection works without one", 200)


class EkmConnection(Struct):
    """The connection; an HSM has at most one."""

    host: str
    server_ca_certificates: list[Raw]
    path_prefix: Wire = UNSET
    server_subject_common_name: Wire = UNSET


class ClientCertificate(Struct):
    """What the HSM presents to the proxy: not the certificate itself, but those of its certificate authorities."""

    ca_certificates: list[Raw]
    subject_common_name: Wire = UNSET


async def collect_ekm(
    connection: Connection, unit: Unit, hsm: Vault, uri: str, *, external: bool | Reason, keys: Coverage
) -> Sequence[Coverage]:
    """Write a row per certificate. Returns the coverage of `OPERATIONS`. `uri` is the HSM's checked address.

    Nothing is asked of an HSM without an external key (`external`, or why that is unknown), since few identities may read the
    connection; `keys` is the coverage of the reads that would show one. An HSM that says it has no connection has no rows.
    """
    server, client = (Calls(hsm.scope, operation) for operation in OPERATIONS)
    if isinstance(external, Reason) and keys.state is State.ASSESSED:
        for calls in (server, client):
            calls.refused(Refusal(external, "it is unknown whether the HSM has an external key"))
    if external is not True:
        return [calls.coverage(keys) for calls in (server, client)]
    found = await connection.gateway.get(server.id, EkmConnection, host=uri)
    if isinstance(found, Refusal):
        if found.reason is not Reason.VANISHED:
            server.refused(found)
        return [server.coverage(), client.coverage(server.coverage())]
    server.answered()
    if not found.server_ca_certificates:
        server.refused(_NO_CHAIN)
    rows = _Rows(connection, hsm, uri, found)
    rows.write(unit, server.id, "server-ca", found.server_ca_certificates, found.server_subject_common_name)
    presented = await connection.gateway.get(client.id, ClientCertificate, host=uri)
    if isinstance(presented, Refusal):
        client.refused(presented)
    else:
        client.answered()
        if not presented.ca_certificates:
            client.refused(_NO_CHAIN)
        rows.write(unit, client.id, "client-ca", presented.ca_certificates, presented.subject_common_name)
    return [server.coverage(), client.coverage()]


class _Rows:
    def __init__(self, connection: Connection, hsm: Vault, uri: str, found: EkmConnection) -> None:
        self._environment, self._hsm, self._uri, self._found = connection.environment, hsm, uri, found

    def write(self, unit: Unit, operation: str, kind: str, encoded: Sequence[Raw], name: Wire) -> None:
        """Write the rows of one chain; a certificate that it has twice has one row."""
        chain = [certificate_of(each) or Refusal(Reason.BAD_VALUE) for each in encoded]
        url, version = source(self._environment, operation, host=self._uri)
        written = set[str]()
        for number, found in enumerate(chain, 1):
            last = found.thumbprint.lower() if isinstance(found, X509) else f"unreadable-{number}"
            id_ = f"{self._hsm.resource_id}/ekm/{kind}/{last}"
            if id_ in written:
                continue
            written.add(id_)
            row = Row(EKM_CERTIFICATE, id=id_, resource_id=id_, scope_id=self._hsm.scope.id, url=url, version=version)
            row.put_all(name=None, kind=kind, vault_id=self._hsm.scope.id, vault_name=self._hsm.name, host=self._found.host)
            row.put("path_prefix", _or_none(self._found.path_prefix))
            row.put("subject_common_name", _or_none(name))
            row.put_read("superseded", _superseded(found, chain))
            put_dated(row, found)
            unit.row("ekm_certificate", row.finish())


def _or_none(member: Wire) -> Wire | None:
    """Both are optional: https://learn.microsoft.com/rest/api/keyvault/ekm-connection"""
    return None if isinstance(member, UnsetType) else member


def _superseded(found: X509 | Refusal, chain: Sequence[X509 | Refusal]) -> bool | Refusal:
    """Whether another certificate of the chain has the same subject and is valid longer."""
    mine, others = _subject_and_end(found), [_subject_and_end(each) for each in chain]
    if isinstance(mine, Refusal):
        return mine
    if any(other[0] == mine[0] and other[1] > mine[1] for other in others if not isinstance(other, Refusal)):
        return True
    return next((other for other in others if isinstance(other, Refusal)), False)


def _subject_and_end(found: X509 | Refusal) -> tuple[str, int] | Refusal:
    if isinstance(found, Refusal):
        return found
    if isinstance(found.subject, Refusal):
        return found.subject
    return found.not_after if isinstance(found.not_after, Refusal) else (found.subject, found.not_after)

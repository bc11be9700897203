"""Credentials for a large snapshot: three on each application, of all kinds, some in Key Vault, a few shared."""

from keyaudit.inventory.spool import Unit
from tests.bench.whole import TENANT, row

_NOW = 1_795_500_000
_DAY = 86_400
_EACH = 3
_KINDS = ("password", "certificate", "federated", "password", "certificate")


def write_credentials(unit: Unit, count: int) -> None:
    """Write that many credentials, with the applications and service principals that hold them."""
    for number in range(count // _EACH):
        app_id = f"00000000-0000-4000-9000-{number:012}"
        application = f"{TENANT.id}/applications/{number}"
        unit.row(
            "application",
            row("application", application, name=f"app-{number}", app_id=app_id, created_on=_NOW - number % 3_000 * _DAY),
        )
        unit.row(
            "service_principal",
            row(
                "service_principal", f"{TENANT.id}/servicePrincipals/{number}", name=f"app-{number}", app_id=app_id, home="own"
            ),
        )
        for nth in range(_EACH):
            unit.row("credential", _credential(application, app_id, number * _EACH + nth))


def _credential(holder: str, app_id: str, number: int) -> dict[str, object]:
    kind = _KINDS[number % len(_KINDS)]
    dated, certificate, federated = kind != "federated", kind == "certificate", kind == "federated"
    # One certificate in twenty is on a second application too.
    print_ = f"{number - number % 20:064x}" if number % 20 == 5 else f"{number:064x}"
    starts_on = _NOW - number % 1_000 * _DAY
    return row(
        "credential",
        f"{holder}/credentials/{number}",
        kind=kind,
        key_id=f"00000000-0000-4000-a000-{number:012}",
        holder_kind="application",
        holder_id=holder,
        holder_name=f"app-{number // _EACH}",
        holder_type="Application",
        holder_home="own",
        app_id=app_id,
        starts_on=starts_on if dated else None,
        expires_on=starts_on + (number % 900 + 30) * _DAY if dated else None,
        usage="Verify" if certificate else None,
        thumbprint=print_[-40:] if certificate else None,
        thumbprint_sha256=print_ if certificate else None,
        public_key_sha256=print_ if certificate else None,
        key_type="RSA" if certificate else None,
        key_size=2_048 if certificate else None,
        signature_hash="sha256" if certificate else None,
        entra_custody="external" if certificate else None,
        issuer="https://token.actions.githubusercontent.com" if federated else None,
        subject=f"repo:contoso/app-{number}:environment:production" if federated else None,
        audiences=["api://AzureADTokenExchange"] if federated else None,
    )

"""What is supplied beside the tenant's own answers: logs of uses, relying parties, the switches of the unified audit log."""

from collections.abc import Iterator
from pathlib import Path

from keyaudit.collect.evidence import Evidence, UnifiedAudit
from keyaudit.inventory.logs import Use
from keyaudit.model.relying_parties import HeldKey, RelyingParties, Validator
from keyaudit.simulator.estate import Estate
from tests import logs

_DAY = 86_400


def evidence(estate: Estate, folder: Path) -> Evidence:
    """All of it; the logs are in `folder`."""
    switches = UnifiedAudit(digest="0" * 64, ingestion=True, mailboxes=True, organizations=frozenset())
    return Evidence(
        unified_audit=switches,
        relying_parties=_PARTIES,
        logs=logs.store(folder, _uses(estate), tenant=estate.tenant_id),
    )


def _uses(estate: Estate) -> Iterator[Use]:
    """Each key was used last week, each application read a mailbox."""
    first = (estate.as_of - 40 * _DAY - logs.START) // _DAY
    applications = [each.app_id for each in estate.applications]
    number = 0
    for vault in estate.vaults:
        for key in vault.keys[::2]:
            app = applications[number % len(applications)]
            number += 1
            identifier = f"https://{vault.name}.vault.azure.net/keys/{key.name}/{key.current}"
            for day in (0, 20, 38):
                yield logs.use(first + day, app, target_id=identifier)
    for app in applications[:4]:
        yield logs.mail(first + 30, app)


_PARTIES = RelyingParties(
    keys=(
        HeldKey(
            file="jwks.json",
            line=3,
            relying_party="shop",
            held_as="cache",
            key_id="gone-long-ago",
            thumbprint=None,
            token_issuer=None,
            fetched_on=None,
        ),
    ),
    validators=(
        Validator(
            file="appsettings.json",
            line=2,
            relying_party="shop",
            section="AzureAd",
            authority="common",
            validates_issuer=False,
            tenants_allowed=0,
            validates_audience=True,
        ),
    ),
    files=2,
    digest="1" * 64,
)

"""The services of the simulated tenant: the actions of each, how often, and from where. Their names are those of its
principals.
"""

from collections.abc import Sequence

from msgspec import Struct

MAIN, SPARE = "10.20.4", "10.84.4"
"""The networks of the two regions."""
_SDK = "azsdk-net-Security.KeyVault.Keys/4.{release}.0 (.NET 8.0.{build}; Linux)"
_SECRETS = "azsdk-python-keyvault-secrets/4.{release}.0 Python/3.11.{build} (Linux-5.15)"
_MAILER = "Client=WebServices;ExchangeServicesClient/15.{build}.0913.015;"


class Job(Struct, frozen=True, kw_only=True):
    """A repeated action of an application. Days are days of the year, from 0."""

    name: str
    does: str
    """An operation of Key Vault, or `mail`."""
    host: int
    client: str
    times: int = 1
    vault: str = ""
    object: str = ""
    mailboxes: Sequence[int] = ()
    since: int = 0
    until: int = 364
    every: int = 1
    workdays: bool = False
    signs_in: bool = True
    managed: bool = False
    """Whether it is a managed identity, whose sign-ins are in a separate log."""
    failovers: Sequence[tuple[int, int]] = ()
    """First and last day on which it runs in the other region."""
    roams: bool = False
    """Whether it runs on hosted agents, with a different address each time."""
    status: int = 200
    through_graph: bool = False
    """Whether it reads mail through Microsoft Graph, which the log names as the application."""
    later_client: str = ""
    later_since: int = 0


JOBS: Sequence[Job] = (
    Job(
        name="id-identity-token-service-prod", does="KeySign", host=11, client=_SDK, times=12, vault="kv-identity-prod",
        object="workforce-token-signing", failovers=((140, 142),), managed=True,
    ),
    Job(
        name="id-identity-token-service-prod", does="KeySign", host=11, client=_SDK, times=3, vault="kv-identity-prod",
        object="consumer-token-signing", failovers=((140, 142),), managed=True, signs_in=False,
    ),
    Job(
        name="id-identity-token-service-prod", does="KeyUnwrap", host=11, client=_SDK, times=4, vault="kv-identity-prod",
        object="session-cookie-wrap", failovers=((140, 142),), managed=True, signs_in=False,
    ),
    Job(
        name="id-payments-settlement-prod", does="KeySign", host=21, client=_SDK, times=6, vault="kv-payments-prod",
        object="settlement-signing", workdays=True, failovers=((342, 344),), managed=True,
    ),
    Job(
        name="id-payments-settlement-prod", does="KeyUnwrap", host=21, client=_SDK, times=4, vault="kv-payments-prod",
        object="card-token-wrap", workdays=True, signs_in=False, failovers=((342, 344),), managed=True,
    ),
    Job(
        name="id-payments-settlement-prod", does="KeySign", host=21, client=_SDK, times=2, vault="kv-payments-prod",
        object="acquirer-batch", since=348, workdays=True, signs_in=False, managed=True,
    ),
    Job(
        name="Billing API", does="SecretGet", host=31, client=_SECRETS, times=4, vault="kv-identity-prod",
        object="consumer-sign-in-client-secret",
    ),
    Job(
        name="azdo-payments-release", does="SecretGet", host=41, client=_SECRETS, times=3, vault="kv-payments-prod",
        object="acquirer-sftp-password", workdays=True, roams=True,
        later_client="azsdk-go-azsecrets/v1.3.0 (go1.23.4; linux)", later_since=340,
    ),
    Job(
        name="etl-runner", does="KeySign", host=51, client=_SDK, vault="kv-payments-prod", object="iso20022-signing",
        every=30,
    ),
    Job(
        name="id-orders-api-test", does="KeySign", host=55, client=_SDK, times=2, vault="kv-identity-test",
        object="workforce-token-signing", managed=True,
    ),
    Job(
        name="github-infra", does="KeySign", host=61, client=_SDK, times=2, vault="kv-platform-signing",
        object="terraform-module-signing", since=160,
    ),
    Job(
        name="vm-batch-02", does="KeySign", host=71, client=_SDK, vault="kv-payments-prod", object="settlement-signing",
        every=7, status=403, since=200, managed=True,
    ),
    Job(
        name="func-key-rotator", does="KeySign", host=72, client=_SDK, vault="kv-identity-prod",
        object="workforce-token-signing", since=345, until=346, status=403, signs_in=False, managed=True,
    ),
    Job(name="Backup Orchestrator", does="mail", host=81, client=_MAILER, mailboxes=range(60), every=7),
    Job(name="Intranet Search", does="mail", host=82, client=_MAILER, mailboxes=(0, 1), times=2),
    Job(
        name="Integration Hub", does="mail", host=83, client="Client=REST;Client=RESTSystem;;", mailboxes=range(10, 18),
        workdays=True, since=130, through_graph=True,
    ),
    Job(name="Store Wifi Portal", does="mail", host=84, client=_MAILER, mailboxes=(30, 31), workdays=True, since=70, until=200),
    Job(name="ERP Bridge", does="mail", host=85, client=_MAILER, mailboxes=(40, 41), workdays=True, since=250),
)  # fmt: skip
WATCHED: Sequence[str] = (
    "kv-platform-signing", "kv-identity-prod", "kv-payments-prod", "kv-identity-test", "kv-payments-test", "kv-stores-dev",
)  # fmt: skip
"""The vaults whose log is in the security workspace; a monitor reads each of them every day."""
HSMS: Sequence[tuple[str, str]] = (
    ("hsm-contoso-trust", "document-timestamping"),
    ("hsm-contoso-pilot", "ledger-pilot-signing"),
    ("hsm-contoso-lab", ""),
)
"""The Managed HSMs, each with a key that signs once a day; in one without keys, the keys are listed."""

"""The services of the simulated tenant: what each does, how often, and from where."""

from collections.abc import Sequence
from dataclasses import dataclass

MAIN, SPARE = "10.20.4", "10.84.4"
"""The networks of the two regions."""
_SDK = "azsdk-net-Security.KeyVault.Keys/4.{release}.0 (.NET 8.0.{build}; Linux)"
_SECRETS = "azsdk-python-keyvault-secrets/4.{release}.0 Python/3.11.{build} (Linux-5.15)"
_MAILER = "Client=WebServices;ExchangeServicesClient/15.{build}.0913.015;"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that an application does again and again. Days are of the year, from 0."""

    name: str
    does: str
    """An operation of Key Vault, or `mail`."""
    host: int
    client: str
    times: int = 1
    vault: str = ""
    object: str = ""
    rotated: int = 1_000
    """Days from one version of the object to the next."""
    mailboxes: Sequence[int] = ()
    since: int = 0
    until: int = 364
    every: int = 1
    workdays: bool = False
    signs_in: bool = True
    failovers: Sequence[tuple[int, int]] = ()
    """First and last day on which it runs in the other region."""
    roams: bool = False
    """It runs on hosted agents, with another address each time."""
    status: int = 200
    later_client: str = ""
    later_since: int = 0


JOBS: Sequence[Job] = (
    Job(
        name="Token service", does="KeySign", host=11, client=_SDK, times=12, vault="kv-identity", object="token-signing",
        rotated=90, failovers=((140, 142),),
    ),
    Job(
        name="Payments", does="KeySign", host=21, client=_SDK, times=6, vault="kv-payments", object="payment-signing",
        rotated=180, workdays=True, failovers=((342, 344),),
    ),
    Job(
        name="Payments", does="KeyUnwrap", host=21, client=_SDK, times=4, vault="kv-payments", object="card-wrapping",
        rotated=200, workdays=True, signs_in=False, failovers=((342, 344),),
    ),
    Job(
        name="Payments", does="KeySign", host=21, client=_SDK, times=2, vault="kv-payments", object="receipt-signing",
        since=348, workdays=True, signs_in=False,
    ),
    Job(
        name="Web shop", does="SecretGet", host=31, client=_SECRETS, times=4, vault="kv-shop", object="db-password",
        rotated=30,
    ),
    Job(
        name="Deployment", does="SecretGet", host=41, client=_SECRETS, times=3, vault="kv-shop", object="deploy-token",
        rotated=60, workdays=True, roams=True, later_client="azsdk-go-azsecrets/v1.3.0 (go1.23.4; linux)", later_since=340,
    ),
    Job(name="Payroll", does="SecretGet", host=51, client=_SECRETS, vault="kv-payroll", object="bank-token", every=30),
    Job(
        name="Payroll", does="KeyUnwrap", host=51, client=_SDK, vault="kv-payroll", object="payslips", every=30,
        signs_in=False,
    ),
    Job(name="Signing portal", does="KeySign", host=61, client=_SDK, times=2, vault="kv-portal", object="contracts", since=160),
    Job(
        name="Old batch", does="KeySign", host=71, client=_SDK, vault="kv-payments", object="payment-signing", every=7,
        status=403, since=200,
    ),
    Job(
        name="Test harness", does="KeySign", host=72, client=_SDK, vault="kv-identity", object="token-signing", since=345,
        until=346, status=403, signs_in=False, rotated=90,
    ),
    Job(name="Mail archive", does="mail", host=81, client=_MAILER, mailboxes=range(60), every=7),
    Job(name="Helpdesk", does="mail", host=82, client=_MAILER, mailboxes=(0, 1), times=2),
    Job(name="CRM", does="mail", host=83, client=_MAILER, mailboxes=range(10, 18), workdays=True, since=130),
    Job(name="Survey", does="mail", host=84, client=_MAILER, mailboxes=(30, 31), workdays=True, since=70, until=200),
    Job(name="Invoice scanner", does="mail", host=85, client=_MAILER, mailboxes=(40, 41), workdays=True, since=343),
    Job(
        name="Partner portal", does="SecretGet", host=91, client=_SECRETS, vault="kv-portal", object="partner-api",
        workdays=True,
    ),
)  # fmt: skip

"""Credentials as installers make them, for the estates of ordinary tenants."""

from datetime import UTC, datetime

from msgspec import Struct

from keyaudit.simulator import x509
from keyaudit.simulator.estate import Application, FederatedCredential, KeyCredential, PasswordCredential, ServicePrincipal
from keyaudit.simulator.estates.ids import DAY, Ground


def years(start: int, count: int) -> int:
    """So many calendar years later; from 29 February to 28 February."""
    day = datetime.fromtimestamp(start, UTC)
    leap = (day.month, day.day) == (2, 29)
    return int(day.replace(year=day.year + count, day=28 if leap else day.day).timestamp())


class Maker(Struct, frozen=True):
    """Makes the objects of one tenant; their ids and dates are derived from their names."""

    ground: Ground

    def certificate(
        self, name: str, subject: str, age: int, end: int | None = None, *, life: int = 730, issuer: str = ""
    ) -> KeyCredential:
        """A certificate with its public part, self-signed unless `issuer` is given, valid until `end` or for `life` days."""
        start = self.ground.moment(age, "certificate", name)
        end = end or start + life * DAY
        made = x509.certificate(
            subject, key_name=self.ground.guid("key", name), start=start, end=end, issuer=issuer, issuer_key=issuer
        )
        return KeyCredential(
            key_id=self.ground.guid("certificate", name),
            start=start,
            end=end,
            display_name=subject,
            thumbprint=x509.thumbprint(made),
            certificate=made,
        )

    def secret(self, name: str, age: int, life: int, display_name: str | None = None) -> PasswordCredential:
        """A client secret."""
        start = self.ground.moment(age, "secret", name)
        return PasswordCredential(
            key_id=self.ground.guid("secret", name), start=start, end=start + life * DAY, display_name=display_name
        )

    def federated(self, name: str, issuer: str, subject: str) -> FederatedCredential:
        """A federated credential."""
        return FederatedCredential(id=self.ground.guid("federated", name, issuer), name=name, issuer=issuer, subject=subject)

    def application(self, name: str, age: int = 700, **members: object) -> Application:
        """A registration of the tenant, with further members."""
        own = {"id": self.ground.guid("application", name), "app_id": self.ground.guid("client", name), "name": name}
        return Application(**own, created=self.ground.moment(age, "application", name), **members)  # type: ignore[arg-type]

    def principal(self, name: str, age: int = 700, **members: object) -> ServicePrincipal:
        """A service principal, of this tenant unless `home_tenant` is another."""
        own: dict[str, object] = {
            "id": self.ground.guid("principal", name),
            "app_id": self.ground.guid("client", name),
            "home_tenant": self.ground.tenant,
        }
        created = self.ground.moment(age, "principal", name)
        return ServicePrincipal(name=name, created=created, **{**own, **members})  # type: ignore[arg-type]

"""The certificates and secrets of a vault, and deleted ones, on its data plane."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from keyaudit.simulator.estate import Certificate, Vault
from keyaudit.simulator.key_vault import certificates, keys, secrets
from keyaudit.simulator.service import Route
from keyaudit.simulator.wire import Answer, Request, compact


class Plane(Protocol):
    """The data plane that serves them."""

    def vault(self, request: Request) -> Vault:
        """The vault that a request goes to."""
        ...

    def headers_for(self, request: Request) -> dict[str, str]:
        """The headers of every answer of a vault."""
        ...

    def page(
        self, request: Request, names: Sequence[str], item: Callable[[int], object], *, short: int = 0, restated: bool = False
    ) -> Answer:
        """A page of a list."""
        ...

    def not_found(self, request: Request, noun: str, name: str) -> Answer:
        """The 404 for an object of that noun."""
        ...


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def routes(plane: Plane) -> tuple[Route, ...]:
    """The routes of a vault. In place of a secret's value there is the canary."""
    served = _Objects(plane)
    return (
        Route("certificate.list", "certificates", served.certificates),
        Route("certificate.versions", "certificates/*/versions", served.certificate_versions),
        Route("certificate.issuers", "certificates/issuers", served.issuers),
        Route("certificate.issuer", "certificates/issuers/*", served.issuer),
        Route("certificate.contacts", "certificates/contacts", served.contacts),
        Route("certificate.policy", "certificates/*/policy", served.policy),
        Route("certificate.pending", "certificates/*/pending", served.pending),
        Route("certificate.get", "certificates/*", served.certificate),
        Route("certificate.get", "certificates/*/*", served.certificate),
        Route("secret.list", "secrets", served.secrets),
        Route("secret.versions", "secrets/*/versions", served.secret_versions),
        Route("canary.secret", "secrets/*", served.secret),
        Route("canary.secret", "secrets/*/*", served.secret),
        Route("deleted_certificate.list", "deletedcertificates", served.deleted_certificates),
        Route("deleted_secret.list", "deletedsecrets", served.deleted_secrets),
    )


class _Objects:
    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def certificates(self, request: Request, _stars: list[str]) -> Answer:
        """The issued certificates, and with includePending all others. The first page is a little short, as recorded."""
        vault = self._plane.vault(request)
        pending = request.query.get("includepending") == "true"
        listed = [one for one in _ordered(vault.certificates) if pending or certificates.current(one).issued]

        def item(index: int) -> object:
            return certificates.item(vault, listed[index], certificates.current(listed[index]), versioned=False)

        return self._plane.page(request, [one.name for one in listed], item, short=3)

    def certificate_versions(self, request: Request, stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        found = _named(vault.certificates, stars[0])
        versions = sorted(found.versions, key=lambda one: one.version) if found else []

        def item(index: int) -> object:
            return found and certificates.item(vault, found, versions[index], versioned=True)

        return self._plane.page(request, [one.version for one in versions], item)

    def certificate(self, request: Request, stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        name, wanted = (*stars, "")[:2]
        found = _named(vault.certificates, name)
        version = certificates.version(found, wanted) if found else None
        if found is None or version is None:
            return self._plane.not_found(request, "certificate", "/".join(stars))
        return Answer(200, compact(certificates.bundle(vault, found, version)), self._plane.headers_for(request))

    def policy(self, request: Request, stars: list[str]) -> Answer:
        return self._of_one(request, stars[0], certificates.policy)

    def pending(self, request: Request, stars: list[str]) -> Answer:
        """The operation that makes, or made, the current version; a client asks again ten seconds later while it goes on."""
        answer = self._of_one(request, stars[0], certificates.operation)
        found = _named(self._plane.vault(request).certificates, stars[0])
        if found is None or (certificates.current(found).issued and not found.requested):
            return answer
        return Answer(answer.status, answer.body, {**answer.headers, "Retry-After": "10"})

    def _of_one(self, request: Request, name: str, body: Callable[[Vault, Certificate], dict[str, object]]) -> Answer:
        vault = self._plane.vault(request)
        found = _named(vault.certificates, name)
        if found is None:
            return self._plane.not_found(request, "certificate", name)
        return Answer(200, compact(body(vault, found)), self._plane.headers_for(request))

    def issuers(self, request: Request, _stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        names = certificates.issuers(vault)
        return self._plane.page(request, names, lambda index: certificates.issuer(vault, names[index], whole=False))

    def issuer(self, request: Request, stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        name = next((one for one in certificates.issuers(vault) if one.lower() == stars[0].lower()), None)
        if name is None:
            return self._plane.not_found(request, "certificate issuer", stars[0])
        return Answer(200, compact(certificates.issuer(vault, name, whole=True)), self._plane.headers_for(request))

    def contacts(self, request: Request, _stars: list[str]) -> Answer:
        """The contacts of a vault, which may have none."""
        vault = self._plane.vault(request)
        body = {
            "id": f"{keys.base_uri(vault)}/certificates/contacts",
            "contacts": [{"email": address} for address in vault.contacts],
        }
        return Answer(200, compact(body), self._plane.headers_for(request))

    def secret(self, request: Request, stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        name, wanted = (*stars, "")[:2]
        found = _named(vault.secrets, name)
        version = secrets.version(found, wanted) if found else None
        if found is None or version is None:
            return self._plane.not_found(request, "secret", "/".join(stars))
        return Answer(200, compact(secrets.bundle(vault, found, version)), self._plane.headers_for(request))

    def secrets(self, request: Request, _stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        listed = _ordered(vault.secrets)

        def item(index: int) -> object:
            return secrets.item(vault, listed[index], secrets.newest(listed[index]), versioned=False)

        return self._plane.page(request, [one.name for one in listed], item)

    def secret_versions(self, request: Request, stars: list[str]) -> Answer:
        """For a missing secret: no versions, and no error, as recorded."""
        vault = self._plane.vault(request)
        found = _named(vault.secrets, stars[0])
        versions = sorted(found.versions, key=lambda one: one.version) if found else []

        def item(index: int) -> object:
            return found and secrets.item(vault, found, versions[index], versioned=True)

        return self._plane.page(request, [one.version for one in versions], item)

    def deleted_certificates(self, request: Request, _stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        listed = sorted(vault.deleted_certificates, key=lambda one: one.certificate.name.lower())
        names = [one.certificate.name for one in listed]
        return self._plane.page(request, names, lambda index: certificates.deleted_item(vault, listed[index]))

    def deleted_secrets(self, request: Request, _stars: list[str]) -> Answer:
        vault = self._plane.vault(request)
        listed = sorted(vault.deleted_secrets, key=lambda one: one.secret.name.lower())
        names = [one.secret.name for one in listed]
        return self._plane.page(request, names, lambda index: secrets.deleted_item(vault, listed[index]))


def _ordered(objects: Iterable[N]) -> list[N]:
    """In the order of lists: by name, case-insensitive."""
    return sorted(objects, key=lambda one: one.name.lower())


def _named(objects: Iterable[N], name: str) -> N | None:
    return next((one for one in objects if one.name.lower() == name.lower()), None)

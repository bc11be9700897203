"""Builds planned applications and service principals with dates, and lists the planted defects of each."""

from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from keyaudit.simulator import x509
from keyaudit.simulator.estate import (
    Application,
    FederatedCredential,
    KeyCredential,
    PasswordCredential,
    Plant,
    ServicePrincipal,
    User,
)
from keyaudit.simulator.estates.holder_plans import (
    FOREVER,
    ApplicationPlan,
    Certificate,
    CredentialPlan,
    Federated,
    PrincipalPlan,
    Saml,
    Secret,
)
from keyaudit.simulator.estates.ids import DAY, Ground, application_id, credential_id, principal_id, signing_certificate_id

_YEAR_9999 = 253_402_300_799
_SAML_SUBJECT = "CN=Microsoft Azure Federated SSO Certificate"


def lay_application(plan: ApplicationPlan, ground: Ground) -> tuple[Application, ServicePrincipal | None, set[Plant]]:
    """The application, its local service principal if it has one, and their planted defects."""
    object_id, app_id = ground.guid("application", plan.name), ground.guid("client", plan.name)
    row = application_id(ground.tenant, object_id)
    laid = _Credentials(plan.name, row, ground).with_all(plan.credentials)
    laid.plants.update(Plant(policy, row) for policy in plan.finds)
    application = Application(
        id=object_id,
        app_id=app_id,
        name=plan.name,
        created=ground.moment(plan.age, row),
        audience=plan.audience,
        identifier_uris=(
            *((f"https://{ground.domain}/{plan.name.lower().replace(' ', '-')}", f"api://{app_id}") if plan.uri else ()),
            *plan.uris,
        ),
        token_version=plan.token_version,
        reply_urls=plan.redirects,
        native_urls=plan.native_redirects,
        implicit_tokens=plan.implicit_tokens,
        scopes=plan.scopes,
        roles=plan.roles,
        accepts_mapped_claims=plan.mapped_claims,
        verified_publisher=plan.publisher,
        passwords=tuple(laid.passwords),
        keys=tuple(laid.keys),
        federated=tuple(laid.federated),
        owners=(*_owners(plan.owners, ground), *(ground.guid("principal", name) for name in plan.owner_apps)),
    )
    if plan.principal is None:
        return application, None, laid.plants
    its_own = replace(plan.principal, name=plan.name, app_id=app_id, age=plan.age - 1, home=ground.tenant)
    principal, plants = lay_principal(its_own, ground)
    return application, principal, laid.plants | plants


def lay_principal(plan: PrincipalPlan, ground: Ground) -> tuple[ServicePrincipal, set[Plant]]:
    """The service principal, and its planted defects."""
    object_id = ground.guid("principal", plan.name)
    row = principal_id(ground.tenant, object_id)
    laid = _Credentials(plan.name, row, ground).with_all(plan.credentials)
    principal = ServicePrincipal(
        id=object_id,
        app_id=plan.app_id or ground.guid("client", plan.name),
        name=plan.name,
        created=ground.moment(plan.age, row),
        type=plan.type,
        home_tenant=plan.home,
        enabled=plan.enabled,
        sso_mode=plan.sso_mode,
        preferred_thumbprint=laid.preferred,
        passwords=tuple(laid.passwords),
        keys=tuple(laid.keys),
        federated=tuple(laid.federated),
        owners=_owners(plan.owners, ground),
        agent=plan.agent,
    )
    return principal, laid.plants


def owners_of(plans: Iterable[ApplicationPlan], ground: Ground) -> tuple[User, ...]:
    """The users that the plans name as owners, each once; the alias `mei.tanaka` becomes Mei Tanaka."""
    aliases = dict.fromkeys(alias for plan in plans for alias in plan.owners)
    return tuple(
        User(id=ground.guid("user", alias), name=alias.replace(".", " ").title(), upn=f"{alias}@{ground.domain}")
        for alias in aliases
    )


def _owners(names: tuple[str, ...], ground: Ground) -> tuple[str, ...]:
    return tuple(ground.guid("user", name) for name in names)


class _Credentials(Struct):
    """The credentials of one holder."""

    holder: str
    row: str
    ground: Ground
    passwords: list[PasswordCredential] = field(default_factory=list)
    keys: list[KeyCredential] = field(default_factory=list)
    federated: list[FederatedCredential] = field(default_factory=list)
    plants: set[Plant] = field(default_factory=set)
    preferred: str | None = None

    def with_all(self, plans: tuple[CredentialPlan, ...]) -> "_Credentials":
        for nth, plan in enumerate(plans):
            subject = self._lay(plan, ("credential", self.row, str(nth)))
            self.plants.update(Plant(policy, subject) for policy in plan.finds)
        return self

    def _lay(self, plan: CredentialPlan, names: tuple[str, ...]) -> str:
        """Adds the credential, and returns its id in findings."""
        if isinstance(plan, Saml):
            return self._lay_saml(plan, ("credential", plan.shared) if plan.shared else names)
        if isinstance(plan, Certificate):
            return self._lay_certificate(plan, ("credential", plan.shared) if plan.shared else names)
        key = self.ground.guid(*names)
        if isinstance(plan, Federated):
            laid = FederatedCredential(
                id=key,
                name=plan.name,
                issuer=plan.issuer.replace("{tenant}", self.ground.tenant),
                subject=plan.subject,
                audiences=plan.audiences,
                claims_expression=plan.expression,
            )
            self.federated.append(laid)
            if "/serviceprincipals/" in self.row:
                return f"{self.row}/federatedidentitycredentials/{plan.name.lower()}"
        else:
            start, end = self._dates(plan, names)
            self.passwords.append(PasswordCredential(key_id=key, start=start, end=end, display_name=plan.name))
        return credential_id(self.row, key)

    def _lay_certificate(self, plan: Certificate, names: tuple[str, ...]) -> str:
        key, symmetric = self.ground.guid(*names), plan.type == "Symmetric"
        start, end = self._dates(plan, names)
        name = f"CN={plan.shared or self.holder}"
        made = None
        if plan.real and not symmetric and end is not None:
            made = x509.certificate(name, key_name=key, start=start, end=end, bits=plan.bits)
        thumbprint = x509.thumbprint(made) if made else self.ground.thumbprint(*names)
        self.keys.append(
            KeyCredential(
                key_id=key,
                start=start,
                end=end,
                type=plan.type,
                display_name=None if symmetric else name,
                thumbprint=None if symmetric else thumbprint,
                certificate=made,
            )
        )
        return credential_id(self.row, key)

    def _lay_saml(self, plan: Saml, names: tuple[str, ...]) -> str:
        start, end = self._dates(plan, names)
        made = x509.certificate(
            _SAML_SUBJECT,
            key_name=self.ground.guid(*names),
            start=start,
            end=start + plan.life * DAY,
            issuer=plan.issuer,
            issuer_key=plan.issuer,
            digest=plan.digest,
        )
        thumbprint, signs = x509.thumbprint(made), self.ground.guid(*names, "sign")
        verify = KeyCredential(
            key_id=self.ground.guid(*names, "verify"),
            start=start,
            end=end,
            display_name=_SAML_SUBJECT,
            thumbprint=thumbprint,
            certificate=made,
        )
        sign = replace(verify, key_id=signs, usage="Sign", type="X509CertAndPassword")
        self.keys += [verify, sign]
        # The password has the id of the signing entry, because it protects its private key.
        self.passwords.append(
            PasswordCredential(key_id=signs, start=start, end=end, display_name=_SAML_SUBJECT, thumbprint=thumbprint)
        )
        if plan.preferred:
            self.preferred = thumbprint
        return signing_certificate_id(self.row, thumbprint)

    def _dates(self, plan: Secret | Certificate | Saml, names: tuple[str, ...]) -> tuple[int, int | None]:
        start = self.ground.moment(plan.age, *names)
        if plan.life == FOREVER:
            return start, _YEAR_9999
        return start, None if plan.life is None else start + plan.life * DAY

"""The memo of tokens: asked for once, renewed in time, for this cloud's scopes and the audited tenant alone."""

import asyncio

import pytest
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.identity.tokens import MARGIN, Tokens, claims_of
from keyaudit.cloud.refusal import Refused
from keyaudit.model.errors import UnsafeError
from keyaudit.model.reasons import Reason
from tests.cloud.azure import OTHER_TENANT, TENANT, token
from tests.cloud.clock import FakeClock

PUBLIC = ENVIRONMENTS["public"]
VAULT = PUBLIC.vault_scope


class Issuer:
    """A credential that is slow, counts, and fails as it is told to."""

    def __init__(self, clock: FakeClock, life: int = 3600) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.tenant = TENANT
        self.failures: list[Exception] = []
        self._clock, self._life = clock, life

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        self.asked.append((scopes[0], (options or {}).get("claims")))
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return AccessTokenInfo(token(self.tenant, nonce=str(len(self.asked))), self._clock.now() + self._life)

    async def close(self) -> None:
        """Nothing is held."""


async def _signed_in(clock: FakeClock, issuer: Issuer) -> Tokens:
    tokens = Tokens(PUBLIC, clock)
    await tokens.sign_in(issuer)
    tokens.tenant = TENANT
    issuer.asked.clear()
    return tokens


async def test_sixty_four_who_ask_at_once_cause_one_request() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    found = await asyncio.gather(*(tokens.get_token_info(VAULT) for _ in range(64)))
    assert len({each.token for each in found}) == 1
    assert issuer.asked == [(VAULT, None)]


async def test_a_token_is_renewed_before_its_end_by_the_given_clock() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    first = await tokens.get_token(VAULT)
    clock.passed = 3600 - MARGIN - 1
    assert await tokens.get_token(VAULT) == first
    clock.passed = 3600 - MARGIN
    assert await tokens.get_token(VAULT) != first
    assert len(issuer.asked) == 2


async def test_a_clock_that_steps_back_does_not_keep_a_token_alive() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    await tokens.get_token(VAULT)
    clock.off = -86_400
    clock.passed = 3600
    await tokens.get_token(VAULT)
    assert len(issuer.asked) == 2


async def test_a_machine_that_slept_does_not_send_a_token_that_ended_meanwhile() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    first = await tokens.get_token(VAULT)
    # The monotonic clock stops while a machine is suspended; the other clock does not.
    clock.off = 3600
    assert await tokens.get_token(VAULT) != first


async def test_a_sign_in_service_that_is_down_when_a_token_is_renewed_costs_nothing_until_its_end() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    first = await tokens.get_token(VAULT)
    clock.passed = 3600 - MARGIN
    issuer.failures = [ServiceRequestError("reset")] * 4
    assert await tokens.get_token(VAULT) == first
    assert not issuer.failures
    clock.passed += 60
    assert await tokens.get_token(VAULT) != first
    clock.passed += 3600
    issuer.failures = [ServiceRequestError("reset")] * 4
    with pytest.raises(Refused):
        await tokens.get_token(VAULT)


async def test_a_token_that_ends_soon_does_not_answer_new_claims() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    await tokens.get_token(VAULT)
    issuer.failures = [ServiceRequestError("reset")] * 4
    with pytest.raises(Refused):
        await tokens.get_token(VAULT, claims='{"access_token":{}}')


async def test_a_token_that_comes_with_little_life_is_still_used() -> None:
    clock = FakeClock()
    issuer = Issuer(clock, life=200)
    tokens = await _signed_in(clock, issuer)
    for _ in range(3):
        await tokens.get_token(VAULT)
    assert len(issuer.asked) == 1


@pytest.mark.parametrize(
    ("scopes", "tenant"),
    [
        (("https://evil.example/.default",), TENANT),
        (("https://managedhsm.usgovcloudapi.net/.default",), TENANT),
        (("https://vault.usgovcloudapi.net/.default",), TENANT),
        ((VAULT, PUBLIC.arm_scope), TENANT),
        ((), TENANT),
        ((VAULT,), OTHER_TENANT),
        ((VAULT,), "common"),
        ((VAULT,), ""),
    ],
)
async def test_another_scope_or_tenant_is_refused_without_asking(scopes: tuple[str, ...], tenant: str) -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    with pytest.raises(Refused) as refused:
        await tokens.get_token_info(*scopes, options={"tenant_id": tenant})
    assert refused.value.refusal.reason is Reason.BAD_CHALLENGE
    assert issuer.asked == []


async def test_nothing_is_given_before_the_tenant_is_known() -> None:
    clock = FakeClock()
    tokens = Tokens(PUBLIC, clock)
    with pytest.raises(Refused):
        await tokens.get_token(VAULT)
    tokens.tenant = TENANT
    with pytest.raises(RuntimeError, match="signed in"):
        await tokens.get_token(VAULT)


async def test_a_token_of_another_tenant_stops_the_run() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    issuer.tenant = OTHER_TENANT
    with pytest.raises(UnsafeError, match=f"{OTHER_TENANT} was issued, but {TENANT} is audited"):
        await tokens.get_token(VAULT)


@pytest.mark.parametrize("text", ["opaque", "a.b.c", "a.!!!.c", "a.e30.c"])
async def test_a_token_that_names_no_tenant_is_not_used(text: str) -> None:
    class Opaque(Issuer):
        async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
            return AccessTokenInfo(text, self._clock.now() + 3600)

    clock = FakeClock()
    with pytest.raises(UnsafeError, match="does not name its tenant"):
        await Tokens(PUBLIC, clock).sign_in(Opaque(clock))


async def test_claims_are_asked_for_once_and_the_answer_serves_all() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    before = await tokens.get_token_info(VAULT)
    found = await asyncio.gather(*(tokens.get_token_info(VAULT, options={"claims": '{"nbf":1}'}) for _ in range(8)))
    assert {each.token for each in found} != {before.token}
    assert len({each.token for each in found}) == 1
    assert (await tokens.get_token_info(VAULT)).token == found[0].token
    assert issuer.asked == [(VAULT, None), (VAULT, '{"nbf":1}')]


async def test_claims_that_a_sign_in_cannot_meet_revoke_it_for_good() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    issuer.failures = [ClientAuthenticationError("AADSTS50076: multi-factor authentication is required")]
    for claims in ('{"nbf":1}', None):
        with pytest.raises(Refused) as refused:
            await tokens.get_token(VAULT, claims=claims)
        assert refused.value.refusal.reason is Reason.IDENTITY_REVOKED
        assert "AADSTS50076" in refused.value.refusal.detail
    assert len(issuer.asked) == 1


async def test_a_refused_sign_in_is_not_repeated_for_every_request() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    issuer.failures = [ClientAuthenticationError("AADSTS7000222: expired")]
    for _ in range(5):
        with pytest.raises(Refused) as refused:
            await tokens.get_token(VAULT)
        assert refused.value.refusal.reason is Reason.AUTH_FAILED
    assert len(issuer.asked) == 1
    clock.passed += 61
    assert (await tokens.get_token(VAULT)).token


async def test_trouble_on_the_way_is_tried_again() -> None:
    clock = FakeClock()
    issuer = Issuer(clock)
    tokens = await _signed_in(clock, issuer)
    issuer.failures = [ServiceRequestError("reset"), OSError("reset")]
    assert (await tokens.get_token(VAULT)).token
    assert clock.slept == [1, 2]
    clock.passed += 3600
    issuer.failures = [ServiceRequestError("reset")] * 9
    with pytest.raises(Refused) as refused:
        await tokens.get_token(VAULT)
    assert refused.value.refusal.detail == "at the sign-in service: the connection was dropped"
    assert len(issuer.failures) == 5


async def test_the_official_clients_may_open_and_close_it() -> None:
    clock = FakeClock()
    tokens = await _signed_in(clock, Issuer(clock))
    async with tokens as entered:
        await entered.close()
    assert (await tokens.get_token(VAULT)).token


def test_claims_are_read_from_any_padding() -> None:
    for name in ("a", "ab", "abc", "\u00fc"):
        claims = claims_of(token(upn=name))
        assert claims is not None
        assert claims.upn == name

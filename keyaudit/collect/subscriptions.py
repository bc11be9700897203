"""The subscriptions that the identity sees, including disabled ones, whose vaults still contain keys."""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.copies import distinct
from keyaudit.collect.places import Subscription
from keyaudit.collect.wire import Wire, read
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID


class SubscriptionItem(Struct, rename="camel"):
    """An item of the subscription list. Its tenant is required."""

    subscription_id: str
    tenant_id: str
    display_name: Wire = UNSET


async def list_subscriptions(gateway: Gateway, scope: Scope) -> tuple[Sequence[Subscription], Coverage]:
    """Every visible subscription, in order of id, including those of other tenants; and the coverage of `subscription.list`.

    An empty list does not prove that there are none, so it counts as not assessed.
    """

    def by(item: SubscriptionItem) -> str:
        if not GUID.fullmatch(item.subscription_id) or not GUID.fullmatch(item.tenant_id):
            raise ValueError("not a subscription of a tenant")
        return item.subscription_id.lower()

    listing = gateway.pages("subscription.list", SubscriptionItem, by=by)
    found = [_subscription(item) for item in (await distinct(listing, by)).values()]
    calls = Calls(scope, "subscription.list")
    calls.ended(listing.end)
    coverage = calls.coverage()
    if not found and coverage.state is State.ASSESSED:
        [coverage] = not_assessed(scope, ("subscription.list",), Reason.NOTHING_VISIBLE)
    return sorted(found, key=lambda subscription: subscription.id), coverage


def _subscription(item: SubscriptionItem) -> Subscription:
    id_ = item.subscription_id.lower()
    name = read(item.display_name, str)
    return Subscription(
        id=id_, name=item.display_name, shown=id_ if isinstance(name, Refusal) else name, tenant_id=item.tenant_id.lower()
    )

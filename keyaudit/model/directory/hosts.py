"""Host names and tenant ids of Entra that identify an issuer of tokens."""

ISSUING_HOSTS = (
    "login.microsoftonline.com",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "sts.chinacloudapi.cn",
)
"""The hosts on which Entra issues tokens, in every cloud; the first part of the path is the tenant."""

# The aliases that instance discovery (https://login.microsoftonline.com/common/discovery/instance) returns for each cloud.
# login-us.microsoftonline.com is there an alias of nothing.
_ALIASES = (
    frozenset({"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"}),
    frozenset({"login.microsoftonline.us", "login.usgovcloudapi.net"}),
    frozenset({"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}),
)
SIGN_IN_HOSTS = frozenset(ISSUING_HOSTS).union(*_ALIASES)
"""The hosts of metadata and signing keys."""


def aliases(login: str) -> frozenset[str]:
    """The names of one sign-in service, that of `login`."""
    return next((names for names in _ALIASES if login in names), frozenset({login}))


CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal Microsoft accounts: https://learn.microsoft.com/entra/identity-platform/access-tokens"""

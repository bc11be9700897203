"""Names of Entra's that say whose tokens something is about."""

ISSUING_HOSTS = (
    "login.microsoftonline.com",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "sts.chinacloudapi.cn",
)
"""Where Entra issues tokens, in every cloud; the first part of the path is the tenant."""

# By the aliases of instance discovery.
SIGN_IN_HOSTS = frozenset({*ISSUING_HOSTS, "login.windows.net", "login.microsoft.com", "login.usgovcloudapi.net"})
"""Where metadata and keys are fetched from."""

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal Microsoft accounts: https://learn.microsoft.com/entra/identity-platform/access-tokens"""

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

# The aliases that instance discovery returns.
SIGN_IN_HOSTS = frozenset({*ISSUING_HOSTS, "login.windows.net", "login.microsoft.com", "login.usgovcloudapi.net"})
"""The hosts of metadata and signing keys."""

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal Microsoft accounts: https://learn.microsoft.com/entra/identity-platform/access-tokens"""

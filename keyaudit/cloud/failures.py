"""Maps the official clients' exceptions, by their cause, to one closed list of reasons."""

import errno
import ssl

import aiohttp
import httpx
from azure.core.exceptions import AzureError, ClientAuthenticationError, IncompleteReadError

from keyaudit.cloud.refusal import Refused, sign_in_refusal
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason

EXPECTED = (Refused, AzureError, aiohttp.ClientError, httpx.HTTPError, OSError, ValueError)
"""The exceptions that sending may raise; TimeoutError and ssl.SSLError are OSErrors. Any other is a bug."""

_LASTING = frozenset({Reason.TLS, Reason.BAD_CHALLENGE, Reason.AUTH_FAILED, Reason.INTERCEPTED})
_PROXY_RETRIED = frozenset({408, 429, 500, 502, 503, 504})


def failure_of(error: BaseException, host: str) -> tuple[Refusal, bool]:
    """The refusal for an exception while sending to `host`, and whether a retry can help."""
    cause = _cause(error)
    if isinstance(cause, Refused):
        return cause.refusal, False
    if isinstance(cause, ClientAuthenticationError):
        return sign_in_refusal(str(cause.message)), False
    if isinstance(cause, aiohttp.ClientHttpProxyError):
        return Refusal(Reason.UNREACHABLE, f"the proxy answered {cause.status}"), cause.status in _PROXY_RETRIED
    refusal = _transport(cause)
    if isinstance(cause, aiohttp.ClientConnectorDNSError) and cause.host != host:
        refusal = Refusal(Reason.UNREACHABLE, "the proxy's name does not resolve")
    if refusal is None:
        # The Key Vault client refuses a challenge for another resource with a ValueError.
        refusal = Refusal(Reason.BAD_CHALLENGE, "the official client refused the challenge")
    return refusal, refusal.reason not in _LASTING


def never_connected(error: BaseException) -> bool:
    """Whether no connection was made. A failure after connecting says nothing about the host."""
    return isinstance(
        _cause(error), aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientHttpProxyError
    )


# The first match counts, so specific errors come before general ones.
_TRANSPORT: tuple[tuple[type[BaseException], Reason, str], ...] = (
    (aiohttp.ClientConnectorDNSError, Reason.DNS, "the name does not resolve"),
    (aiohttp.ClientProxyConnectionError, Reason.UNREACHABLE, "no connection to the proxy"),
    (aiohttp.ClientConnectorCertificateError, Reason.TLS, ""),
    (aiohttp.ClientSSLError, Reason.TLS, "the TLS handshake failed"),
    (ssl.SSLError, Reason.TLS, "the TLS handshake failed"),
    (aiohttp.ConnectionTimeoutError, Reason.UNREACHABLE, "no connection in time"),
    (TimeoutError, Reason.TIMEOUT, "the request timed out"),
    (aiohttp.ClientConnectorError, Reason.UNREACHABLE, "no connection"),
    (aiohttp.ClientPayloadError, Reason.BAD_BODY, "the connection broke while the response arrived"),
    (IncompleteReadError, Reason.BAD_BODY, "the connection broke while the response arrived"),
    (aiohttp.ClientResponseError, Reason.BAD_BODY, "not an HTTP answer"),
    (aiohttp.ClientError, Reason.UNREACHABLE, "the connection was dropped"),
    (OSError, Reason.UNREACHABLE, "the connection was dropped"),
    (httpx.HTTPError, Reason.UNREACHABLE, "the connection was dropped"),
    (AzureError, Reason.UNREACHABLE, "the connection was dropped"),
)


def _transport(cause: BaseException) -> Refusal | None:
    for kind, reason, text in _TRANSPORT:
        if isinstance(cause, kind):
            if isinstance(cause, aiohttp.ClientConnectorCertificateError):
                return Refusal(reason, _certificate(cause.certificate_error))
            code = errno.errorcode.get(getattr(cause, "errno", None) or 0, "")
            return Refusal(reason, f"{text} ({code})" if code and reason is Reason.UNREACHABLE else text)
    return None


def _cause(error: BaseException) -> BaseException:
    """The innermost exception of a known kind; the clients wrap it once or twice."""
    found = error
    seen = {id(error)}
    while (inner := error.__cause__) is not None and id(inner) not in seen:
        seen.add(id(inner))
        if isinstance(inner, Refused | aiohttp.ClientError | TimeoutError):
            found = inner
        if isinstance(found, Refused | aiohttp.ClientConnectorError | TimeoutError):
            break
        error = inner
    return found


def _certificate(error: Exception) -> str:
    # OpenSSL's own words, such as "certificate has expired"; a host name that does not match is left out.
    told = str(getattr(error, "verify_message", "")).partition(",")[0]
    return told[:80] or "the certificate could not be verified"

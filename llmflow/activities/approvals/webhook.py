"""Signed posts to the address that wants to know, as Standard Webhooks (standardwebhooks.com) says."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from llmflow import __version__
from llmflow.errors import ErrorDetail, NotificationFailed

TIMEOUT = 10.0
"""Seconds for one attempt, from the first byte of the connection to the head of the answer."""
_LATER = frozenset({408, 425, 429})  # what a receiver says that will take it another time; so does every 5xx


class Webhook:
    """Where notifications go. Neither the secret nor the path of the address is in anything that it says."""

    def __init__(self, url: str, secret: str) -> None:
        """Take an address of `http` or `https`, and a secret as `key_of` reads it."""
        import httpx  # not at the top: 7 MB, which workers without a webhook do without

        self._url = httpx.URL(url)
        self._key = key_of(secret)
        # Made once: reading the certificates of the machine takes 20 ms and more.
        self._tls = httpx.create_ssl_context()

    async def post(self, id: str, body: bytes) -> int:
        """Post JSON; the receiver's HTTP status.

        Args:
            id: Names the message: the same for every attempt, so that the receiver can drop what it has already.
            body: JSON in UTF-8.

        Raises:
            NotificationFailed: no answer, or another one than 2xx; `detail.retry` says whether to try again.
        """
        import httpx

        headers = {
            "content-type": "application/json",
            "user-agent": f"llmflow/{__version__}",
            **self._signed(id, body),
        }
        try:
            # A client for each: they are few, and an open connection would not outlive the time between two.
            async with (
                asyncio.timeout(TIMEOUT),
                httpx.AsyncClient(verify=self._tls, timeout=TIMEOUT) as client,
                client.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                status = response.status_code  # and not a byte of what else it says
        except (httpx.TransportError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise NotificationFailed(f"the webhook at {self._url.host} does not answer: {reason}") from None
        if not 200 <= status < 300:
            again = status in _LATER or status >= 500
            raise NotificationFailed(
                f"the webhook at {self._url.host} answers {status}"
                + ("" if again else ", so it is not tried again: look at LLMFLOW_WEBHOOK, and at what receives it"),
                ErrorDetail(status=status, retry=again),
            )
        return status

    def _signed(self, id: str, body: bytes) -> Mapping[str, str]:
        at = str(int(datetime.now(UTC).timestamp()))  # of this attempt: receivers refuse what is old
        signature = hmac.digest(self._key, b".".join((id.encode(), at.encode(), body)), hashlib.sha256)
        return {
            "webhook-id": id,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }


def key_of(secret: str) -> bytes:
    """The bytes of `whsec_` and base64. Settings have looked that it is that."""
    return base64.b64decode(secret.removeprefix("whsec_"))

"""Signed HTTP POSTs to the webhook, by Standard Webhooks (standardwebhooks.com)."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from llmflow import __version__
from llmflow.errors import ErrorDetail, NotificationFailed

TIMEOUT = 10.0
"""Seconds for one attempt, from connecting to the head of the response."""
_LATER = frozenset({408, 425, 429})  # retried, like every 5xx


class Webhook:
    """The receiver of notifications. Its errors contain neither the secret nor the path of the URL."""

    def __init__(self, url: str, secret: str) -> None:
        """Take a URL of `http` or `https`, and a secret for `key_of`."""
        import httpx  # not at the top: it takes 7 MB, only for workers with a webhook

        self._url = httpx.URL(url)
        self._key = key_of(secret)
        # Made once: reading the machine's certificates takes 20 ms and more.
        self._tls = httpx.create_ssl_context()

    async def post(self, id: str, body: bytes) -> int:
        """Post JSON and return the HTTP status.

        Args:
            id: Id of the message, equal for all attempts, so that the receiver can drop duplicates.
            body: JSON in UTF-8.

        Raises:
            NotificationFailed: no response, or another status than 2xx; `detail.retry` is True if a retry may help.
        """
        import httpx

        headers = {
            "content-type": "application/json",
            "user-agent": f"llmflow/{__version__}",
            **self._signed(id, body),
        }
        try:
            # A client per message: they are rare, and a connection would not stay open between them.
            async with (
                asyncio.timeout(TIMEOUT),
                httpx.AsyncClient(verify=self._tls, timeout=TIMEOUT) as client,
                client.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                status = response.status_code  # the body is not read
        except (httpx.TransportError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise NotificationFailed(f"the webhook at {self._url.host} does not answer: {reason}") from None
        if not 200 <= status < 300:
            again = status in _LATER or status >= 500
            raise NotificationFailed(
                f"the webhook at {self._url.host} answers {status}"
                + ("" if again else ", so it is not retried: check LLMFLOW_WEBHOOK and its receiver"),
                ErrorDetail(status=status, retry=again),
            )
        return status

    def _signed(self, id: str, body: bytes) -> Mapping[str, str]:
        at = str(int(datetime.now(UTC).timestamp()))  # of this attempt: receivers refuse old timestamps
        signature = hmac.digest(self._key, b".".join((id.encode(), at.encode(), body)), hashlib.sha256)
        return {
            "webhook-id": id,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }


def key_of(secret: str) -> bytes:
    """Decode a secret of `whsec_` and base64, which the settings have validated."""
    return base64.b64decode(secret.removeprefix("whsec_"))

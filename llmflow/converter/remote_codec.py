"""Codec behind HTTP: a client of Temporal's codec server protocol."""

from collections.abc import Sequence
from urllib.parse import quote

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

TIMEOUT = 30.0
"""Seconds for one request. A workflow task, in which it may happen, has 10 s by default and is then tried again."""


class RemoteCodec(PayloadCodec):
    """Codec server: `POST <endpoint>/encode` and `/decode`, as the Web UI and `temporal --codec-endpoint` call it.

    Its errors are of no type of ours, so that Temporal retries what needed the codec.
    """

    def __init__(self, endpoint: str, namespace: str, auth: str | None = None) -> None:
        """Configure. No request is made.

        Args:
            endpoint: URL, in which `{namespace}` stands for the namespace.
            namespace: Namespace of the payloads.
            auth: Value of the header `Authorization`.
        """
        import httpx  # not at the top: it takes 7 MB, only for clients with such a codec

        self._url = httpx.URL(endpoint.replace("{namespace}", quote(namespace, safe="")).rstrip("/"))
        self._headers = {"content-type": "application/json", "x-namespace": namespace}
        if auth:
            self._headers["authorization"] = auth
        # Made once: reading the machine's certificates takes 20 ms and more.
        self._tls = httpx.create_ssl_context()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class.

        Raises:
            RuntimeError: the server does not answer, or refuses.
        """
        return await self._post("encode", payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class.

        Raises:
            RuntimeError: the server does not answer, or refuses.
        """
        return await self._post("decode", payloads)

    async def _post(self, what: str, payloads: Sequence[Payload]) -> list[Payload]:
        import httpx

        body = MessageToJson(Payloads(payloads=payloads), indent=None)
        try:
            # A client per request: an idle connection would belong to one event loop.
            async with httpx.AsyncClient(verify=self._tls, timeout=TIMEOUT) as client:
                answer = await client.post(f"{self._url}/{what}", content=body, headers=self._headers)
            if answer.is_success:
                return list(Parse(answer.content, Payloads()).payloads)
            problem = f"HTTP {answer.status_code} {answer.text[:200]}".strip()
        except (httpx.HTTPError, httpx.InvalidURL, ParseError) as error:
            problem = str(error) or type(error).__name__
        raise RuntimeError(f"the codec server at {self._url.host} does not {what}: {problem}")

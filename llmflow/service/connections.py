"""A client, with the address of its Web UI."""

from dataclasses import dataclass
from urllib.parse import quote

from llmflow.client import Client


@dataclass(frozen=True)
class Connection:
    """A client, and the Web UI of its server."""

    client: Client
    ui_url: str | None

    def link(self, id: str, run_id: str) -> str | None:
        """Return the page of a run in the Web UI, if its address is known."""
        if self.ui_url is None:
            return None
        namespace = quote(self.client.temporal.namespace, safe="")
        return f"{self.ui_url}/namespaces/{namespace}/workflows/{quote(id, safe='')}/{run_id}/history"

"""Links to pages of runs."""

from llmflow.client import connect
from llmflow.service.connections import Connection


async def test_a_link_is_safe_for_every_id(temporal: str) -> None:
    connection = Connection(await connect(address=temporal), "http://localhost:8233")
    link = "http://localhost:8233/namespaces/default/workflows/a%2Fb%20%3Fc/r/history"
    assert connection.link("a/b ?c", "r") == link
    assert Connection(connection.client, None).link("a", "r") is None

"""Names on the wire that differ from those in Python lose no value."""

from llmflow.testing import ScriptedProvider, activities_of, environment
from tests.integration.aliased import Rated, app


async def test_a_model_with_aliases_arrives_as_it_was_sent(temporal: str) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Rated.run, id=env.id())
        assert await run.result() == [0.97, 0.5, 0.25, 0.97, 0.97, 0.97]
        assert await activities_of(run) == ["rate#1", "risk_of#1"]

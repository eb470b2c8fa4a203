"""An App whose data has other names on the wire than in Python."""

from pydantic import BaseModel, Field
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.tools import tool


class Score(BaseModel):
    """Numbers with defaults, which a value that gets lost has instead."""

    risk: float = Field(0.0, alias="riskScore")
    read_as: float = Field(0.0, validation_alias="readAs")
    written_as: float = Field(0.0, serialization_alias="writtenAs")


SCORE = Score.model_validate({"riskScore": 0.97, "readAs": 0.5, "written_as": 0.25})


@tool
async def rate(name: str) -> list[Score]:
    """Rate somebody."""
    return [SCORE]


@tool
async def risk_of(score: Score) -> float:
    """Return the risk."""
    return score.risk


@workflow.defn
class Inner:
    """Returns its input."""

    @workflow.run
    async def run(self, score: Score) -> Score:
        return score


@workflow.defn
class Rated:
    """Gets a score from a tool, and hands one to a tool, to a child and to itself by config."""

    @workflow.run
    async def run(self) -> list[float]:
        [score] = await flow.call_tool(rate, "ana")
        child = await workflow.execute_child_workflow(Inner.run, score)
        config = await flow.config(Score)
        given = await flow.call_tool(risk_of, score)
        return [score.risk, score.read_as, score.written_as, child.risk, config.risk, given]


app = App(name="aliased", workflows=[Rated, Inner], tools=[rate, risk_of], config={"riskScore": 0.97})

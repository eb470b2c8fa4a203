"""An agent by hand: the workflow holds the whole conversation, and sends it with every call."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bench.plain.agent_activities import AgentActivities, Turn, TurnCall, look_up

INSTRUCTIONS = "You look up orders, one after the other, until you have them all."


@workflow.defn
class PlainAgent:
    @workflow.run
    async def run(self, turns: int) -> str:
        items: list[dict[str, Any]] = [{"role": "user", "content": f"Look up {turns} orders."}]
        for _ in range(turns + 1):
            turn: Turn = await workflow.execute_activity_method(
                AgentActivities.take_turn,
                TurnCall(instructions=INSTRUCTIONS, items=items),
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(maximum_attempts=4),
            )
            items += turn.items
            if turn.number is None:
                return turn.text
            found = await workflow.execute_activity(look_up, turn.number, start_to_close_timeout=timedelta(minutes=1))
            items.append({"type": "function_call_output", "call_id": turn.call_id, "output": found})
        raise RuntimeError("too many turns")

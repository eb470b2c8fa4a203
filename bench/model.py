"""Model of both sides, as a process of its own: `python -m bench.model --delay 0.02` prints its port."""

import argparse
import asyncio
import json
import re

from bench.schemas import DRAFT, OUTLINE, REPLY
from tests.helpers.model_server import ModelServer, Received, Reply, responses_answer


class Model(ModelServer):
    """Answer each of the three prompts with its own reply."""

    def __init__(self, delay: float, *, record: bool = False) -> None:
        super().__init__(record=record)
        self._outline, self._draft, self._reply = (
            Reply(body=Reply.json(_answer(text)).body, delay=delay)
            for text in (OUTLINE.model_dump_json(), DRAFT, REPLY.model_dump_json())
        )

    def reply_to(self, request: Received) -> Reply:
        super().reply_to(request)
        if b'"look_up' in request.body:
            return Reply.json(_turn(request.body))
        if b'"Outline"' in request.body:  # the name of the schema
            return self._outline
        return self._reply if b'"Reply"' in request.body else self._draft


def _turn(body: bytes) -> dict[str, object]:
    """Ask for the next order, until the agent has as many as it was told."""
    made = body.count(b'"function_call_output"')
    found = re.search(rb"Look up (\d+) orders", body)
    if not found or made >= int(found[1]):
        return _answer("That is all.")
    name = "look_up_here" if b'"look_up_here"' in body else "look_up"
    call = {
        "type": "function_call",
        "id": f"fc_{made:032x}",
        "call_id": f"call_{made:024x}",
        "name": name,
        "arguments": json.dumps({"number": made + 1}),
        "status": "completed",
    }
    return {**_answer(""), "output": [call]}


def _answer(text: str) -> dict[str, object]:
    """Return an answer with all the fields of OpenAI's own, because decoding them costs time."""
    rest = {
        "background": False,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "medium", "summary": None},
        "safety_identifier": None,
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": None,
    }
    return {**responses_answer(text), **rest}


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    async with Model(parser.parse_args().delay) as model:
        print(model.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())

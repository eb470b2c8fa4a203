"""Another process that gets the CLI: `python -m tests.unit.dev.getting SCRIPT` gets it after a shell script has run."""

import asyncio
import sys

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from tests.unit.dev.machine import NOTHING, writes


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    asyncio.run(temporal_executable(Settings.load(), say, scripts=NOTHING, ways={"a way": writes(after=sys.argv[1])}))

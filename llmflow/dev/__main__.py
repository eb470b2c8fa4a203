"""`python -m llmflow.dev`: set-up downloads the Temporal CLI here, so that no demo or test has to wait for it later."""

import asyncio
import sys

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from llmflow.errors import LLMFlowError


def main() -> int:
    """Download what a dev server needs; nothing, if `TEMPORAL_ADDRESS` names a server."""
    try:
        settings = Settings.load()
        if not settings.temporal_address:
            asyncio.run(temporal_executable(settings, _say))
    except LLMFlowError as error:
        _say(str(error))
        return 1
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())

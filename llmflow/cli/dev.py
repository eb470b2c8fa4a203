"""`llmflow dev`: server, worker and Web UI in one process, staying up."""

from llmflow import worker as workers
from llmflow.cli._apps import load, named
from llmflow.cli._inputs import Workflow
from llmflow.cli._models import settings_for_trial
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import say
from llmflow.cli._run import run
from llmflow.cli._serving import log_to_terminal, print_served, show_served
from llmflow.client import Client
from llmflow.dev import dev_server


def dev(
    *,
    app: AppPath = None,
    json: AsJson = False,
) -> None:
    """Run a Temporal server, its Web UI and a worker.

    They stay up until Ctrl-C. Runs are kept in .llmflow/, so they go on where they were when it is started again.
    With --json, it prints what it serves once it is ready.

    Example: llmflow dev --app mine.app:app
    """
    served = load(app)
    settings = settings_for_trial(served)

    async def serve() -> None:
        async with dev_server(settings, say) as server:

            def ready(_: Client) -> None:
                show_served(served, settings, served.task_queue, server.address)
                say("")
                say(f"  Web UI  {server.ui_url or 'that of this server; TEMPORAL_ADDRESS does not say where'}")
                one = Workflow.of(served.workflows[0]).name if len(served.workflows) > 1 else ""
                say(f"  start   llmflow start{one and f' {one}'}{named(app)} --input JSON")
                if not settings.temporal_address and not server.has_usual_port:
                    say(f"  others  export TEMPORAL_ADDRESS={server.address}")
                    say("          for your Python programs and `temporal`, which look at Temporal's usual port", "dim")
                say("\nserving; Ctrl-C stops it, after the running calls", "dim")
                if json:
                    print_served(served, settings, served.task_queue, server.address, server.ui_url)

            await workers.run(served, settings=settings, address=server.address, ready=ready)

    log_to_terminal()
    run(serve())

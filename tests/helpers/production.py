"""`make test-production`: the integration tests against the contents of `deploy/`, as far as they run without Docker.

It builds the full Temporal server once (3 minutes, kept in llmflow's cache folder), starts it on PostgreSQL with the
static and the dynamic configuration of `deploy/temporal`, sets both up with the scripts that docker-compose.yml runs,
gives llmflow its store in the same PostgreSQL, and its limits in Redis, and runs pytest. Arguments go to pytest.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from llmflow.dev.launch import TEST_CONFIG
from llmflow.dev.scaffold import scaffold
from llmflow.errors import ServerUnavailable
from tests.helpers.go import build
from tests.helpers.postgres import Postgres, running_postgres
from tests.helpers.processes import running
from tests.helpers.redis import running_redis

VERSION = "v1.32.0"
"""Version of the Temporal server; docker-compose.yml names the same, and tests/deploy compares them."""
PROGRAMS = {
    "temporal-server": f"go.temporal.io/server/cmd/server@{VERSION}",
    "temporal-sql-tool": f"go.temporal.io/server/cmd/tools/sql@{VERSION}",
    # The input of `docker compose config`, which needs no daemon.
    "compose-config": "github.com/compose-spec/compose-go/v2/cmd@v2.16.2",
}
"""Go modules by the names in scripts; the first two have those names in Temporal's images."""
LLMFLOW = "from llmflow.cli.script import main; main()"
LEFT_OUT = {
    "test_dev_server.py": "about the dev server that llmflow starts itself",
    "test_cli_dev.py": "about `llmflow dev`, which starts that one",
    "test_cli_demo.py": "about `llmflow demo`, which starts it too",
    "test_cli_demos.py": "about the same, with the store that it makes",
    "test_chaos.py": "about the dev server, too, when it is killed",
    "test_scaffold.py": "about a new project, whose own test starts the dev server",
    "test_installed_wheel.py": "about what a wheel holds, with servers of its own",
    "test_kill.py": "about an SQLite file, and takes three quarters of a minute",
    "test_store_away.py": "about stores that it starts and stops itself, while the server does nothing new",
    "test_cli_logs.py": "about the lines that a worker logs",
    "test_cli_reload.py": "about code that changes on disk",
    "test_streams.py": "about the way from a model to a worker",
    "test_vendor_failures.py": "about the same",
    "test_own_providers.py": "about the same",
    "test_schemas_as_data.py": "about the same",
    "test_sync_tools.py": "about threads of a worker",
    "test_edited_prompt.py": "about files of prompts",
    "test_metrics.py": "about what a worker reports",
    "test_tracing.py": "about the same",
    "test_traced_content.py": "about the same",
    "test_webhooks.py": "about the webhook's own server",
    "test_cli_encrypted.py": "about a server of its own, so that no other test meets what it cannot read",
    "test_cli_codec_server.py": "about the same",
}
"""Integration tests that add nothing here, with the reason."""
ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PORTS = (6933, 6934, 6935, 6939, 7233, 7234, 7235, 7239, 7243, 8000)
"""Ports of production.yaml."""


def say(line: str) -> None:
    """Print to the person at the terminal."""
    sys.stderr.write(f"{line}\n")


async def main(arguments: list[str]) -> int:
    """Run all of it; return the exit code of pytest."""
    settings = Settings.load()
    programs = await built(settings)
    with TemporaryDirectory(prefix="llmflow-path-") as folder:
        for program in (*programs.iterdir(), await temporal_executable(settings, say)):
            Path(folder, program.name.partition("-v")[0]).symlink_to(program)
        path = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        await call(("compose-config", "--no-interpolation", "docker-compose.yml"), path, quiet=True)
        scaffold("mine", Path(folder))  # its compose file, too
        await call(("compose-config", "--no-interpolation", Path(folder, "mine/docker-compose.yml")), path, quiet=True)
        async with running_redis() as redis, running_postgres() as postgres, AsyncExitStack() as stack:
            store, where = await databases(postgres, path)
            address = await stack.enter_async_context(temporal(where, path, Path(folder, "dynamicconfig.yaml")))
            tested = {"TEMPORAL_ADDRESS": address, "LLMFLOW_STORE": store, "LLMFLOW_REDIS": redis}
            left_out = (f"--ignore=tests/integration/{name}" for name in LEFT_OUT)
            several = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")  # processes, as in `make test`
            pytest = (sys.executable, "-m", "pytest", "tests/integration", *several, *left_out, *arguments)
            return await call(pytest, {**os.environ, **tested}, check=False)


async def built(settings: Settings) -> Path:
    """Return the folder of the programs; it appears in the cache when all of them are there."""
    folder = settings.cache.absolute() / f"production-{VERSION}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix="building-", ignore_cleanup_errors=True) as scratch:
        programs = Path(scratch, "programs")
        programs.mkdir()
        for name, module in PROGRAMS.items():
            (await build(module, Path(scratch), say)).rename(programs / name)
        programs.rename(folder)
    return folder


async def databases(postgres: Postgres, path: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Make the users and databases of Temporal and llmflow; return the URL of llmflow's store, and Temporal's login."""
    # Not the administrator's, so that no test uses that one by mistake.
    passwords = {"STORE_PASSWORD": postgres.password[::-1], "TEMPORAL_PASSWORD": postgres.password[::-2]}
    where = {"HOST": postgres.host, "PORT": str(postgres.port), "PASSWORD": postgres.password}
    made = {**path, **prefixed("PG", where), "POSTGRES_USER": postgres.user, **passwords}
    await call((DEPLOY / "postgres/databases.sh",), made)
    store = f"postgresql://llmflow:{passwords['STORE_PASSWORD']}@{postgres.host}:{postgres.port}/llmflow"
    await call((sys.executable, "-c", LLMFLOW, "store", "upgrade"), {**os.environ, "LLMFLOW_STORE": store})
    return store, {**where, "USER": "temporal", "PASSWORD": passwords["TEMPORAL_PASSWORD"]}


@asynccontextmanager
async def temporal(where: Mapping[str, str], path: Mapping[str, str], dynamic: Path) -> AsyncGenerator[str]:
    """Serve with the shipped configuration, and set up the namespace for llmflow; yield the address.

    Args:
        where: Host, port, user and password of the cluster for its data.
        path: Environment in which its programs are found.
        dynamic: File for its dynamic configuration: the shipped settings, and those that tests need besides.
    """
    await call((DEPLOY / "temporal/schema.sh",), {**path, **prefixed("SQL_", where)}, quiet=True)
    shift = free_shift()
    dynamic.write_text((DEPLOY / "temporal/dynamicconfig.yaml").read_text() + in_yaml(TEST_CONFIG))
    configured = {
        **prefixed("SQL_", where),
        "TEMPORAL_BIND_IP": "127.0.0.1",
        "TEMPORAL_LOG_LEVEL": "info",  # or it would not say that it is ready
        "TEMPORAL_PORT_SHIFT": str(shift),
        "TEMPORAL_DYNAMIC_CONFIG": str(dynamic),
    }
    await call(("temporal-server", "validate-dynamic-config", dynamic), path)
    server = ("temporal-server", "--root", DEPLOY, "--config", "temporal", "--env", "production", "--allow-no-auth")
    async with running(
        *server, "start", ready="Frontend is now healthy", stop=signal.SIGTERM, env={**path, **configured}
    ):
        address = f"127.0.0.1:{7233 + shift}"
        names = {"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "default", "TEMPORAL_RETENTION": "72h"}
        await call((DEPLOY / "temporal/namespace.sh",), {**path, **names})
        yield address


async def call(
    command: tuple[str | Path, ...], env: Mapping[str, str], *, check: bool = True, quiet: bool = False
) -> int:
    """Run a program to its end, and return its exit code.

    Raises:
        ServerUnavailable: it failed, and `check` is set.
    """
    output = asyncio.subprocess.PIPE if quiet else None
    errors = asyncio.subprocess.STDOUT if quiet else None
    executable = shutil.which(command[0], path=env["PATH"]) or command[0]
    process = await asyncio.create_subprocess_exec(
        executable, *command[1:], cwd=ROOT, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=errors
    )
    said, _ = await process.communicate()
    if process.returncode and check:
        raise ServerUnavailable(f"`{command[0]}` failed with {process.returncode}\n{(said or b'').decode()}")
    return process.returncode or 0


def in_yaml(settings: Iterable[str]) -> str:
    """Format settings such as `key=1` as a server reads them from a file."""
    return "".join(f"{key}: [{{value: {value}}}]\n" for key, _, value in (one.partition("=") for one in settings))


def prefixed(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    """Rename `{"HOST": ...}` to `{"SQL_HOST": ...}`."""
    return {f"{prefix}{name}": value for name, value in values.items()}


def free_shift() -> int:
    """Return an offset for each port of production.yaml with which all of them are free here."""
    return next(shift for shift in range(10_000, 24_000, 100) if all(is_free(port + shift) for port in PORTS))


def is_free(port: int) -> bool:
    """True if no server listens at a port of 127.0.0.1."""
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))

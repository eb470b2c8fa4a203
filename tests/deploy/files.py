"""Paths of the files for production."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILES = sorted(DEPLOY.rglob("Dockerfile"))


def copied(dockerfile: str) -> list[str]:
    """Return the files that an image copies from its build context."""
    lines = re.findall(r"^COPY (.+)$", dockerfile, re.MULTILINE)
    return [source for line in lines if "--from" not in line for source in shlex.split(line)[:-1]]


def allowed(dockerignore: Path) -> list[str]:
    """Return the files of a build context that excludes all that it does not name."""
    lines = dockerignore.read_text().splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


def variables(text: str) -> set[str]:
    """Names of the `${VARIABLES}` in a text of Compose; `$$` is a dollar, and a bare `$NAME` counts as well."""
    return set(re.findall(r"(?<!\$)\$\{?([A-Za-z_][A-Za-z0-9_]*)", text.replace("$$", "")))


def example() -> dict[str, str]:
    """Return the variables of .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

"""Fields of a provider's entry in models.yaml that say how it is reached. No secret stands in the file.

headers: {X-Team: TEAM_TOKEN}                  # header: the environment variable that holds its value
query: {api-version: AZURE_API_VERSION}        # parameter of the URL: its environment variable
key_file: /run/secrets/token                   # a key that expires, in a file that is written anew
key_command: gcloud auth print-access-token    # a key that expires, printed by a command
ca_file: corp.pem                              # certificates that are trusted beside those of the machine
limit_field: max_completion_tokens             # the server's name of the limit of output tokens
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from llmflow.yaml import Node

FIELDS = frozenset({"headers", "query", "key_file", "key_command", "ca_file", "limit_field"})

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset({"accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"})
"""Headers that belong to the bodies, which llmflow reads and writes."""
_LIMITS = ("max_tokens", "max_completion_tokens")


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Access:
    """Way to a provider, beside its address."""

    headers: Mapping[str, str] = field(default_factory=_none)
    """Environment variables of further headers, by the header's name."""
    query: Mapping[str, str] = field(default_factory=_none)
    """Environment variables of parameters of the URL, by the parameter's name."""
    key_file: str | None = None
    key_command: tuple[str, ...] | None = None
    """Command and arguments."""
    ca_file: str | None = None
    limit_field: str | None = None
    """`None`: by the host of the server."""

    @property
    def gives_keys(self) -> bool:
        """True if the key comes from a file or a command."""
        return self.key_file is not None or self.key_command is not None


DIRECT = Access()


def read_access(fields: Mapping[str, Node]) -> Access:
    """Read the fields of an entry that are in `FIELDS`.

    Raises:
        ConfigInvalid: one is invalid; the message has `file:line:column` and what is allowed.
    """
    return Access(
        headers=_headers(fields["headers"]) if "headers" in fields else _none(),
        query=_variables("query", fields["query"]) if "query" in fields else _none(),
        key_file=_path("key_file", fields),
        key_command=_command(fields["key_command"]) if "key_command" in fields else None,
        ca_file=_path("ca_file", fields),
        limit_field=_limit(fields["limit_field"]) if "limit_field" in fields else None,
    )


def _variables(what: str, node: Node) -> Mapping[str, str]:
    named = node.mapping(f"`{what}`")
    return MappingProxyType({name: one.text(f"the environment variable of `{name}`") for name, one in named.items()})


def _headers(node: Node) -> Mapping[str, str]:
    for name, one in node.mapping("`headers`").items():
        if not _HEADER.fullmatch(name):
            raise one.error(f"`headers`: {name!r} is no name of a header")
        if name.lower() in _OURS:
            raise one.error(f"`headers`: llmflow itself sets `{name}`")
    return _variables("headers", node)


def _path(what: str, fields: Mapping[str, Node]) -> str | None:
    """Read a path; a relative one is below the folder of models.yaml."""
    if what not in fields:
        return None
    return str(Path(fields[what].file).parent / fields[what].text(f"`{what}`"))


def _command(node: Node) -> tuple[str, ...]:
    try:
        command = tuple(shlex.split(node.text("`key_command`")))
    except ValueError as error:
        raise node.error(f"`key_command` is no command: {error}") from None
    if not command:
        raise node.error("`key_command` is empty")
    return command


def _limit(node: Node) -> str:
    if (name := node.text("`limit_field`")) not in _LIMITS:
        raise node.error(f"`limit_field` must be {' or '.join(_LIMITS)}, not {name!r}")
    return name

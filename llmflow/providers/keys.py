"""Keys that expire: from a file that is written anew, or from a command that prints one.

A file is read at each call. A command runs again after 5 minutes, or a minute before the end of a key that says its
own (a JSON Web Token). When the vendor refuses a key, both are asked for another one, and the call is made once more.
"""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic, time
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from llmflow.errors import AuthenticationFailed, ErrorDetail
from llmflow.providers.dialects.secrets import scrub
from llmflow.types.providers import ProviderSettings

KEPT = 300.0
"""Seconds until a command is run again; such commands often print a key whose life has begun long before."""
MARGIN = 60.0
"""Seconds before the end of a key in which it is not used any more."""
LONGEST_RUN = 30.0
"""Seconds for a command."""
_LONGEST_QUOTE = 200

_Answer = TypeVar("_Answer")


def as_key(text: str) -> str | None:
    """Strip a key, because files of secrets end in a newline; `None` if a header cannot carry it."""
    text = text.strip()
    return text if text.isascii() and text.isprintable() and text and " " not in text else None


class FileKey:
    """The key in a file."""

    def __init__(self, provider: str, path: str) -> None:
        self._provider = provider
        self._path = Path(path)
        self.latest: str | None = None

    async def get(self) -> str:
        """See `KeySource.get`."""
        try:
            text = await asyncio.to_thread(self._path.read_text, "utf-8")
        except (OSError, UnicodeDecodeError) as error:
            said = (error.strerror if isinstance(error, OSError) else None) or "it is not text"
            raise _no_key(self._provider, f"`key_file` {self._path} cannot be read: {said}") from None
        self.latest = as_key(text)
        if self.latest is None:
            raise _no_key(self._provider, f"`key_file` {self._path} holds no key")
        return self.latest

    async def renew(self, refused: str) -> str | None:
        """See `KeySource.renew`."""
        key = await self.get()
        return key if key != refused else None


class CommandKey:
    """The key that a command prints."""

    def __init__(self, provider: str, command: tuple[str, ...]) -> None:
        self._provider = provider
        self._command = command
        self._until = 0.0
        self._running = asyncio.Lock()
        self.latest: str | None = None

    async def get(self) -> str:
        """See `KeySource.get`. Parallel calls share one run of the command."""
        async with self._running:
            if self.latest is None or monotonic() >= self._until:
                return await self._run()
            return self.latest

    async def renew(self, refused: str) -> str | None:
        """See `KeySource.renew`."""
        async with self._running:
            key = await self._run() if self.latest in (None, refused) else self.latest
        return key if key != refused else None

    async def _run(self) -> str:
        what = f"`key_command` {self._command[0]}"
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise _no_key(self._provider, f"{what} cannot be run: {error.strerror}") from None
        try:
            async with asyncio.timeout(LONGEST_RUN):
                printed, complained = await process.communicate()
        except TimeoutError:
            raise _no_key(self._provider, f"{what} does not end within {LONGEST_RUN:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said = scrub(complained.decode(errors="replace"), ()).strip()[-_LONGEST_QUOTE:]
            raise _no_key(self._provider, f"{what} ended with {process.returncode}: {said or 'it gave no reason'}")
        key = as_key(printed.decode(errors="replace"))
        if key is None:
            raise _no_key(self._provider, f"{what} did not print a key, and nothing else")
        self.latest, self._until = key, monotonic() + min(KEPT, _left(key) - MARGIN)
        return key


class _Claims(BaseModel):
    exp: float


def _left(key: str) -> float:
    """Return the seconds until a JSON Web Token ends; for other keys, any number."""
    claims = key.split(".")[1:2]
    try:
        return _Claims.model_validate_json(urlsafe_b64decode(f"{claims[0]}===")).exp - time()
    except (IndexError, ValueError, ValidationError):
        return KEPT + MARGIN


def _no_key(provider: str, what: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        f"provider {provider!r} was not asked, because it has no key: {what}", ErrorDetail(retry=True)
    )


async def with_key(settings: ProviderSettings, ask: Callable[[str | None], Awaitable[_Answer]]) -> _Answer:
    """Ask with the provider's key, and once more with another one if the vendor refuses a key that expires.

    Raises:
        ProviderError: see `Provider.complete`.
    """
    source = settings.key_source
    if source is None:
        return await ask(settings.key)
    key = await source.get()
    try:
        return await ask(key)
    except AuthenticationFailed:
        renewed = await source.renew(key)
        if renewed is None:
            raise
    return await ask(renewed)

"""Error of the missing extra, which the servers here need."""

from llmflow.errors import ConfigInvalid


def needs_extra() -> ConfigInvalid:
    """Return the error of a missing web framework or server."""
    return ConfigInvalid("this server needs an extra: pip install 'llmflow[api]'")

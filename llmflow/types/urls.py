"""URLs as people may see them: without their secrets."""

import re

_URL = re.compile(r"[A-Za-z][\w+.-]*://[^\s'\"<>]+")
_PLAIN = frozenset(
    {"application_name", "connect_timeout", "db", "host", "mode", "port", "ssl", "sslmode", "target_session_attrs"}
)
"""Parameters of a query that are shown. Others may be a password."""
_MASK = "***"


def masked(url: str) -> str:
    """Mask the password and the parameters of a URL. It need not be a valid one: an `@` in a password may stand raw."""
    scheme, found, rest = url.partition("://")
    if not found:
        return url
    before, asked, query = rest.partition("?")
    if "@" not in before and "@" in query and not re.fullmatch(r"[^:]*|.*:\d*(/.*)?", before):  # `user:pass?word@host`
        before, asked, query = rest, "", ""
    login, at, place = before.rpartition("@")
    user, colon, _ = login.partition(":")
    shown = f"{user}:{_MASK}" if colon else user
    parameters = (_parameter(one) for one in query.split("&"))
    return f"{scheme}://{shown}{at}{place}{asked}{'&'.join(parameters)}"


def without_passwords(text: str) -> str:
    """Mask the URLs with a login in a text, such as an error of a library."""
    return _URL.sub(lambda found: masked(found[0]) if "@" in found[0] else found[0], text)


def _parameter(one: str) -> str:
    name, equals, _ = one.partition("=")
    return f"{name}={_MASK}" if equals and name not in _PLAIN else one

"""A throw-away PgBouncer in transaction mode, from the machine's own binary, before a throw-away PostgreSQL."""

import os
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.helpers.postgres import Postgres, first_user
from tests.helpers.processes import free_port, running

CONNECTIONS = 3
"""Connections to each database, for all clients together."""


class NoPgBouncer(Exception):
    """This machine has no `pgbouncer`."""


@asynccontextmanager
async def running_pgbouncer(postgres: Postgres, *, tls: Path | None = None) -> AsyncGenerator[int]:
    """Run a PgBouncer for as long as the context lasts, and yield its port.

    Args:
        postgres: The cluster behind it. Login and password are its own.
        tls: Folder with `cert.pem` and `key.pem`: clients must use TLS. Without it, they cannot.

    Raises:
        NoPgBouncer: there is no binary.
    """
    executable = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if executable is None:
        raise NoPgBouncer("no PgBouncer: `pgbouncer` is neither on PATH nor in /usr/sbin")
    port = free_port()
    with TemporaryDirectory(prefix="llmflow-pgbouncer-") as folder:
        users, settings = Path(folder, "users.txt"), Path(folder, "pgbouncer.ini")
        users.write_text(f'"{postgres.user}" "{postgres.password}"\n')
        lines = [
            *("[databases]", f"* = host={postgres.host} port={postgres.port}"),
            *("[pgbouncer]", "listen_addr = 127.0.0.1", f"listen_port = {port}", "unix_socket_dir ="),
            *("auth_type = scram-sha-256", f"auth_file = {users}"),
            *("pool_mode = transaction", f"default_pool_size = {CONNECTIONS}", "max_client_conn = 200"),
        ]
        if tls:
            lines.append("client_tls_sslmode = require")
            for name in ("cert", "key"):
                copy = shutil.copy(tls / f"{name}.pem", folder)
                lines.append(f"client_tls_{name}_file = {copy}")
        settings.write_text("\n".join(lines) + "\n")
        # Like PostgreSQL, it refuses to run as root.
        user = first_user("postgres", "nobody") if os.geteuid() == 0 else None
        if user:
            for path in (Path(folder), *Path(folder).iterdir()):
                shutil.chown(path, user)
        async with running(executable, settings, ready="process up", stop=signal.SIGTERM, user=user):
            yield port


def write_certificate(folder: Path) -> None:
    """Write `cert.pem` and `key.pem` of 127.0.0.1, signed by itself, for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "llmflow tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    Path(folder, "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    Path(folder, "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))

"""TLS without a proxy: the operator's certificate, or one that is made for this run."""

import logging
import socket
import ssl
from hashlib import sha256

from .exceptions import SettingsError
from .extras import needed_for
from .settings import Settings

logger = logging.getLogger(__name__)


def given_tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS as the settings have it, or None. Raises SettingsError where certificate or key cannot be used."""
    if settings.ssl_certfile is None:
        return None
    context = _context()
    certificate, key = settings.ssl_certfile.expanduser(), settings.ssl_keyfile
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key and key.expanduser(), password="")
    except (OSError, ssl.SSLError) as error:  # which has the name of neither
        names = " and ".join(str(path) for path in (certificate, key) if path)
        raise SettingsError(f"--ssl-certfile: {names} cannot be used: {error.strerror or error}") from error
    return context


def made_now() -> ssl.SSLContext:
    """TLS with a certificate for this machine's names and addresses that nobody has vouched for. Its key is
    never on a disk, and browsers warn once a run. Raises MissingExtraError."""
    with needed_for("--dev-tls"):
        import trustme
    names = ["localhost", "127.0.0.1", "::1", *_own_names()]
    certificate = trustme.CA(organization_name="Emostream, for development").issue_cert(*names)
    context = _context()
    certificate.configure_cert(context)
    fingerprint = sha256(
        ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    ).hexdigest()
    logger.warning(
        "a certificate made now, for %s: browsers warn, and show its SHA-256, %s",
        ", ".join(names),
        fingerprint,
    )
    return context


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _own_names() -> list[str]:
    """This machine's name, and its address in the network that leads to others."""
    names = [socket.gethostname()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only chooses the interface
            names.append(str(probe.getsockname()[0]))
        except OSError:
            pass  # no network
    return [name for name in dict.fromkeys(names) if name]

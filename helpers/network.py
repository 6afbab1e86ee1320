"""Addresses that a server can listen on, and requests that never leave this machine for a proxy."""

import errno
import socket
import urllib.request
from http.client import HTTPResponse
from ipaddress import ip_address
from urllib.parse import urlsplit

from helpers.errors import SettingError


def check_address(host: str, port: int) -> None:
    """Check that a server can listen on an address, before one starts and says so in a traceback.

    Raises
    ------
    SettingError
        If the host is unknown or not of this machine, or the port is in use.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a part of the name longer than 63 characters
        raise _unusable(host, port, error) from None
    failures = [failure for address in addresses if (failure := _bind_error(*address)) is not None]
    for failure in failures:
        # A name may also have an IPv6 address on a machine without IPv6: one address that works is enough.
        if failure.errno == errno.EADDRINUSE or len(failures) == len(addresses):
            raise _unusable(host, port, failure)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return listener.getsockname()[1]


def open_url(request: str | urllib.request.Request, timeout: float) -> HTTPResponse:
    """Open a URL as `urllib.request.urlopen` does, but one on this machine never through a proxy.

    Raises
    ------
    OSError
        If there is no answer, or it is an error.
    """
    url = request if isinstance(request, str) else request.full_url
    handlers = [urllib.request.ProxyHandler({})] if _is_loopback(urlsplit(url).hostname or "") else []
    return urllib.request.build_opener(*handlers).open(request, timeout=timeout)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bind_error(family: int, kind: int, protocol: int, _: str, address: tuple) -> OSError | None:
    try:
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just closed is free
            listener.bind(address)
    except OSError as error:
        return error
    return None


def _unusable(host: str, port: int, error: OSError | UnicodeError) -> SettingError:
    reason = getattr(error, "strerror", None) or "not a name of a host"
    return SettingError(f"cannot listen on {host}:{port} ({reason}): choose another --host or --port")

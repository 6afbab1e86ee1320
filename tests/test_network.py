import socket
from http.server import BaseHTTPRequestHandler

import pytest

from helpers.errors import SettingError
from helpers.network import check_address, free_port, open_url
from tests.support.servers import http_server, recording_proxy


class Fine(BaseHTTPRequestHandler):
    """Answers every request."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_free_address_is_accepted(host):
    check_address(host, free_port())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_in_use_is_refused(host):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(SettingError, match=f"cannot listen on {host}:{port} .*in use.*--port"):
            check_address(host, port)


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host", "a" * 80, f"{'a' * 80}.example"])
def test_host_of_another_machine_is_refused(host):
    with pytest.raises(SettingError, match=r"cannot listen on .*--host"):
        check_address(host, 8080)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_machine_is_never_asked_through_a_proxy(monkeypatch, host):
    with recording_proxy(monkeypatch) as seen, http_server(Fine) as url:
        if host == "127.0.0.2":  # the server listens on one address of loopback only
            with pytest.raises(OSError, match="refused"):
                open_url(url.replace("127.0.0.1", host), timeout=60)
        else:
            with open_url(url.replace("127.0.0.1", host), timeout=60) as answer:
                assert answer.status == 204
    assert seen == []


def test_another_machine_is_asked_through_the_proxy(monkeypatch):
    with recording_proxy(monkeypatch) as seen, pytest.raises(OSError, match="502"):
        open_url("http://churn.bank.example/ping", timeout=60)
    assert seen == ["http://churn.bank.example/ping"]

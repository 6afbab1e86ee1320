import socket

import pytest

from helpers.errors import SettingError
from helpers.network import check_address, free_port


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


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host"])
def test_host_of_another_machine_is_refused(host):
    with pytest.raises(SettingError, match=r"cannot listen on .*--host"):
        check_address(host, 8080)

import socket
from pathlib import Path

from tests.waiting import angsila, free_port, get, until


async def test_a_city_serves_and_ends_in_time(tmp_path: Path) -> None:
    """The fleet is empty at first, and SIGTERM ends the city with status 0."""
    port = free_port()
    async with angsila("city", "--state", tmp_path, "--port", str(port)) as city:
        fleet = await until(lambda: get(f"http://127.0.0.1:{port}/v1/fleet"))
        status, _ = await city.end(limit_s=3.0)

    assert fleet == {"kiosks": []}
    assert status == 0


async def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    """The city says which port is taken, and ends with status 1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        async with angsila("city", "--state", tmp_path, "--port", port) as city:
            status, output = await city.ended()

    assert (status, output.count("\n")) == (1, 1)
    assert f"port {port} cannot be listened on: in use" in output


async def test_an_unwritable_state_folder_is_one_line() -> None:
    """The city says which folder and why, and ends with status 1."""
    async with angsila("city", "--state", "/proc/angsila", "--port", "0") as city:
        status, output = await city.ended()

    assert (status, output.count("\n")) == (1, 1)
    assert "state folder /proc/angsila cannot be written" in output


async def test_a_second_city_on_the_same_folder_is_one_line(tmp_path: Path) -> None:
    """Two cities never write one archive: the second ends with status 75."""
    port = free_port()
    async with angsila("city", "--state", tmp_path, "--port", str(port)):
        await until(lambda: get(f"http://127.0.0.1:{port}/health"))
        async with angsila("city", "--state", tmp_path, "--port", str(free_port())) as second:
            status, output = await second.ended()

    assert (status, output.count("\n")) == (75, 1)
    assert "is in use by another angsila" in output

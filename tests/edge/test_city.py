import json
import socket
from pathlib import Path

import pytest

from edge.city import events
from edge.claim import writable_folder
from sync import wire_pb2
from sync.city.archive import Archive
from sync.clock import Clock
from sync.entry import Lane
from sync.identity import CITY_KEY, read_or_make_key
from sync.journal import Journal
from sync.letters import seal
from tests.postgres import Cluster
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


async def bring(folder: Path, *told: dict[str, str]) -> None:
    """Have a kiosk take in what people told, and its city get it."""
    journal = await Journal.open(folder / "kiosk", Clock(trust=()))
    for body in told:
        await journal.event("feedback", body)
    found = await journal.segments(Lane.EVENTS, 1, len(told), limit=9, bytes_max=100_000)
    await journal.close()
    archive = await Archive.open(folder / "city")
    await archive.take(wire_pb2.Upload(kiosk="pier-1", segments=[stored.body for stored in found]))
    await archive.close()


async def test_the_operator_reads_what_people_told(tmp_path: Path) -> None:
    """`angsila city events --kind feedback`: the ticket the person has, or all of it as JSON."""
    told = ({"ticket": f"KM-{number}", "reason": "light"} for number in (1, 2))
    await bring(tmp_path, *told)

    lines = await events(tmp_path / "city", ["feedback"], "", 50, as_json=False)
    rows = await events(tmp_path / "city", ["feedback"], "pier-1", 1, as_json=True)

    assert [line.split("  ")[1:] for line in lines] == [
        ["pier-1", "feedback", "KM-1", "light", "-"],
        ["pier-1", "feedback", "KM-2", "light", "-"],
    ]
    assert lines[0].startswith("before ")
    assert [json.loads(row)["body"]["ticket"] for row in rows] == ["KM-2"]
    assert await events(tmp_path / "city", ["usage"], "", 50, as_json=False) == []


async def test_the_operator_reads_what_people_wrote(tmp_path: Path) -> None:
    """Where the city's key is, the words stand in the line; elsewhere, that they are sealed."""
    city = read_or_make_key(writable_folder(tmp_path / "city") / CITY_KEY)
    public = city.opener().public
    letters = {ticket: seal("ไฟดับ", ticket, public) for ticket in ("KM-1", "KM-2")}
    await bring(
        tmp_path,
        {"ticket": "KM-1", "sealed": letters["KM-1"]},
        {"ticket": "KM-3", "sealed": letters["KM-2"]},
    )

    rows = await events(tmp_path / "city", ["feedback"], "", 50, as_json=True)
    (tmp_path / "city" / CITY_KEY).unlink()
    blind = await events(tmp_path / "city", ["feedback"], "", 50, as_json=True)

    bodies = [json.loads(row)["body"] for row in rows]
    assert bodies[0] == {"ticket": "KM-1", "text": "ไฟดับ"}
    assert bodies[1]["sealed"] == letters["KM-2"]
    assert bodies[1]["not_opened"].startswith("KM-3: damaged, or sealed to another city's key")
    assert [json.loads(row)["body"]["sealed"] for row in blind] == list(letters.values())


async def test_a_city_and_its_orders_work_on_postgres(tmp_path: Path, postgres: Cluster) -> None:
    """The address is in the settings for the city, and on the command line for an order."""
    address = postgres.namespace()
    settings = tmp_path / "city.toml"
    settings.write_text(f'[city]\ndatabase = "{address}"\n')
    port = free_port()
    more = ("--state", tmp_path / "state")
    async with angsila("city", "--config", settings, "--port", str(port), *more) as city:
        await city.line("archive at postgresql://")
        async with angsila("city", "enrol-token", "--database", address, *more) as order:
            status, output = await order.ended()
        assert (status, output.count("\n")) == (0, 2)
        async with angsila("city", "events", "--config", settings, *more) as order:
            assert await order.ended() == (0, "")
        async with angsila("city", "revoke", "pier-1", "--config", settings, *more) as order:
            status, output = await order.ended()
        assert (status, "no device or kiosk 'pier-1'" in output) == (1, True)
        fleet = await until(lambda: get(f"http://127.0.0.1:{port}/v1/fleet"))
        status, _ = await city.end(limit_s=3.0)

    assert (fleet, status) == ({"kiosks": []}, 0)
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["blobs", "city.key"]


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("postgresql://u:oyster@127.0.0.1:1/town", 1, "postgresql://u@127.0.0.1:1/town: "),
        ("postgresql://u:oyster@127.0.0.1:1/town?no=1", 1, "is no address of a database"),
        ("mysql://u:oyster@h/town", 2, "--database 'mysql://u:…@h/town' is not allowed"),
    ],
)
async def test_a_database_that_cannot_be_had_is_one_line(
    tmp_path: Path, address: str, status: int, words: str
) -> None:
    """The city says which one and why, and not the password."""
    async with angsila("city", "--state", tmp_path, "--database", address, "--port", "0") as city:
        found, output = await city.ended()

    assert (found, output.count("\n"), words in output) == (status, 1, True)
    assert "oyster" not in output

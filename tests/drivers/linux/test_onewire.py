import asyncio
import os
from pathlib import Path

import pytest

from drivers.ds18b20 import DS18B20, DS18S20, FAMILY_S, crc8
from drivers.errors import BusError, DriverError
from drivers.linux.onewire import TEXT_BYTES_MAX, W1Probe

TEXT = "b8 01 4b 46 7f ff 08 10 8a : crc=8a YES\nb8 01 4b 46 7f ff 08 10 8a t=27500\n"


def add_probe(root: Path, name: str, text: str = TEXT) -> Path:
    """Make the kernel's folder of one probe."""
    folder = root / name
    folder.mkdir()
    (folder / "w1_slave").write_text(text)
    return folder / "w1_slave"


async def test_the_only_probe_needs_no_name(tmp_path: Path) -> None:
    """With one probe and a bus master in the folder, the probe is found and read."""
    add_probe(tmp_path, "28-00000a1b2c3d")
    (tmp_path / "w1_bus_master1").mkdir()
    driver = DS18B20(W1Probe(root=tmp_path))
    await driver.start()
    assert [reading.value for reading in await driver.read()] == [27.5]
    await driver.close()


async def test_one_of_several_is_chosen_by_name(tmp_path: Path) -> None:
    """Two probes without a name are refused, and the message lists them."""
    add_probe(tmp_path, "28-000000000001", TEXT.replace("YES", "NO"))
    add_probe(tmp_path, "28-000000000002")
    with pytest.raises(BusError, match="28-000000000001, 28-000000000002"):
        await W1Probe(root=tmp_path).open()
    probe = W1Probe("28-000000000002", tmp_path)
    await probe.open()
    assert await probe.w1_slave() == TEXT
    await probe.close()


async def test_a_missing_bus_or_probe_is_absent(tmp_path: Path) -> None:
    """No 1-Wire on this machine, or another probe than wanted, is a state with a name."""
    for probe in (
        W1Probe(root=tmp_path / "none"),
        W1Probe("28-1", tmp_path),
        W1Probe("", tmp_path),
    ):
        with pytest.raises(BusError) as caught:
            await probe.open()
        assert caught.value.quality == "absent"


async def test_a_probe_that_vanishes_is_a_bus_error(tmp_path: Path) -> None:
    """A probe that is pulled between two readings is a fault, not a crash."""
    file = add_probe(tmp_path, "28-000000000001")
    driver = DS18B20(W1Probe(root=tmp_path))
    await driver.start()
    file.unlink()
    with pytest.raises(BusError, match="No such file"):
        await driver.read()
    await driver.close()


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", "no_data"), (TEXT.replace("YES", "NO"), "crc"), ("\xff" * 2000, "framing")],
)
async def test_a_bad_text_is_a_fault(tmp_path: Path, text: str, fault: str) -> None:
    """An empty file, the kernel's NO and plain rubbish are told apart."""
    file = add_probe(tmp_path, "28-000000000001")
    file.write_text(text, "latin-1")
    driver = DS18B20(W1Probe(root=tmp_path))
    await driver.start()
    with pytest.raises(DriverError) as caught:
        await driver.read()
    assert caught.value.fault == fault
    await driver.close()


async def test_a_long_file_is_cut(tmp_path: Path) -> None:
    """Whatever stands in the folder, only the beginning is read."""
    add_probe(tmp_path, "28-000000000001", "x" * 100_000)
    probe = W1Probe(root=tmp_path)
    await probe.open()
    assert len(await probe.w1_slave()) == TEXT_BYTES_MAX
    await probe.close()


async def test_a_conversion_does_not_hold_the_loop(tmp_path: Path) -> None:
    """While the kernel converts, the loop goes on; a FIFO stands in for the wait."""
    file = add_probe(tmp_path, "28-000000000001")
    file.unlink()
    os.mkfifo(file)
    driver = DS18B20(W1Probe(root=tmp_path))
    await driver.start()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = group.create_task(driver.read())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not reading.done()
        await asyncio.to_thread(file.write_text, TEXT)
    assert reading.result()[0].value == 27.5
    await driver.close()


async def test_a_probe_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversion without an end is a timeout, and closing does not wait for it."""
    monkeypatch.setattr("drivers.linux.onewire.READ_MAX_S", 0.01)
    file = add_probe(tmp_path, "28-000000000001")
    file.unlink()
    os.mkfifo(file)
    driver = DS18B20(W1Probe(root=tmp_path))
    await driver.start()
    with pytest.raises(BusError) as caught:
        await driver.read()
    assert caught.value.quality == "timeout"
    await driver.close()
    file.write_text(TEXT)  # Lets the thread that still waits go.


async def test_the_older_sister_has_another_family(tmp_path: Path) -> None:
    """A DS18S20 is found by family 10, beside a DS18B20 that is left alone."""
    add_probe(tmp_path, "28-000000000001")
    scratchpad = bytes([0x32, 0, 0x4B, 0x46, 0xFF, 0xFF, 0x0C, 0x10])
    scratchpad += bytes([crc8(scratchpad)])
    add_probe(tmp_path, "10-000000000002", f"{scratchpad.hex(' ')} : crc=00 YES\n")
    driver = DS18S20(W1Probe(root=tmp_path, family=FAMILY_S), "water_temperature")
    await driver.start()
    assert await driver.read() == (("water_temperature", 25.0, "Cel", "ok"),)
    await driver.close()

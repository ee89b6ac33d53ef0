from drivers import ds18b20
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True

SCRATCHPAD = bytes.fromhex("b8014b467fff08108a")
POWER_ON = bytes.fromhex("50054b467fff0c101c")


def vectors(key: str, sensor: str = "DS18B20") -> "list[dict[str, Any]]":
    """The captured rows of a sensor that have `key`."""
    return [row for row in rows("ds18b20", key) if row["sensor"] == sensor]


def with_crc(eight: bytes) -> bytes:
    """A scratchpad that is right."""
    return eight + bytes([ds18b20.crc8(eight)])


def w1_slave(scratchpad: bytes, verdict: str = "YES") -> str:
    """Print a scratchpad as the kernel does."""
    text = " ".join([f"{byte:02x}" for byte in scratchpad])
    return f"{text} : crc={scratchpad[8]:02x} {verdict}\n{text} t=27500\n"


class Text:
    """A probe that answers with one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def open(self) -> None:
        """Nothing to find."""

    async def close(self) -> None:
        """Nothing to give back."""

    async def w1_slave(self) -> str:
        """The text."""
        return self.text


def test_temperatures_of_the_data_sheet() -> None:
    """The table of Maxim, from -25.0625 to 125 °C, exactly."""
    rows = vectors("temp_lsb_msb")
    assert len(rows) == 9
    for row in rows:
        low, high = bytes.fromhex(row["input"]["temp_lsb_msb"])
        assert ds18b20.celsius(low | high << 8) == row["expected"]["temperature_c"]


def test_captured_scratchpads() -> None:
    """Each captured scratchpad gives its temperature or its fault, as bytes and as text."""
    rows = vectors("scratchpad")
    assert len(rows) == 3
    for row in rows:
        scratchpad = bytes.fromhex(row["input"]["scratchpad"])
        assert ds18b20.parse_w1_slave(row["input"]["w1_slave"]) == scratchpad
        if "fault" in row["expected"]:
            assert fault_of(ds18b20.decode, scratchpad) == row["expected"]["fault"]
        else:
            assert ds18b20.decode(scratchpad) == row["expected"]["temperature_c"]


def test_no_flipped_bit_goes_unnoticed() -> None:
    """A damaged scratchpad is an error, never a wrong reading."""
    for bit in range(len(SCRATCHPAD) * 8):
        damaged = bytearray(SCRATCHPAD)
        damaged[bit // 8] ^= 1 << bit % 8
        assert fault_of(ds18b20.decode, bytes(damaged)) == "crc"


def test_a_true_85_degrees_is_no_power_on_value() -> None:
    """The power-on pattern is refused; 85 °C that was measured is taken."""
    assert fault_of(ds18b20.decode, POWER_ON) == "power_on_value"
    measured = with_crc(POWER_ON[:6] + b"\x10\x10")
    assert ds18b20.decode(measured) == 85.0


def test_the_kernels_no_is_believed() -> None:
    """The kernel's own verdict counts, even over bytes that look right."""
    texts = [row["input"]["w1_slave"] for row in vectors("w1_slave")]
    refused = [text for text in texts if "NO" in text]
    assert len(refused) == 1
    assert fault_of(ds18b20.parse_w1_slave, refused[0]) == "crc"


def test_the_kernels_yes_is_checked() -> None:
    """Bytes that fail their CRC are refused, whatever the text says about them."""
    damaged = bytes([0x50]) + SCRATCHPAD[1:]
    assert ds18b20.parse_w1_slave(w1_slave(damaged)) == damaged
    assert fault_of(ds18b20.decode, damaged) == "crc"


def test_an_empty_file_is_no_data() -> None:
    """A probe that was pulled while the kernel read it leaves an empty file."""
    assert fault_of(ds18b20.parse_w1_slave, "") == "no_data"
    assert fault_of(ds18b20.parse_w1_slave, " \n") == "no_data"


def test_a_shorted_line_is_no_data() -> None:
    """Nine zeros match their CRC and are no reading of 0 °C."""
    assert fault_of(ds18b20.decode, bytes(9)) == "no_data"


def test_other_text_is_no_scratchpad() -> None:
    """Words where bytes should be are a fault, as are too few or too many of them."""
    assert fault_of(ds18b20.parse_w1_slave, "zz 01 : crc=00 YES") == "framing"
    assert fault_of(ds18b20.parse_w1_slave, "1ff 01 : crc=00 YES") == "framing"
    assert fault_of(ds18b20.parse_w1_slave, "hello") == "framing"
    assert fault_of(ds18b20.decode, SCRATCHPAD[:8]) == "incomplete"
    assert fault_of(ds18b20.decode, SCRATCHPAD + b"\0") == "length"


def test_bits_below_the_resolution_are_dropped() -> None:
    """At 9 bits the last three of the temperature are undefined, so 27.4375 is 27.0."""
    assert ds18b20.resolution_bits(0x1F) == 9
    assert ds18b20.celsius(0x01B7, 9) == 27.0
    assert ds18b20.celsius(0xFFFF, 9) == -0.5
    assert ds18b20.celsius(0xFFFF, 12) == -0.0625


def test_a_1_wire_address_carries_a_crc() -> None:
    """The example of the application note is taken; with a flipped bit it is refused."""
    rom = bytes.fromhex(vectors("rom", "1-Wire")[0]["input"]["rom"])
    assert fault_of(ds18b20.check_rom, rom) == ""
    assert fault_of(ds18b20.check_rom, bytes([rom[0] ^ 1]) + rom[1:]) == "crc"
    assert fault_of(ds18b20.check_rom, rom[1:]) == "length"


async def test_a_probe_measures_what_it_hangs_in() -> None:
    """The quantity is a setting; the value is rounded to two digits."""
    driver = ds18b20.DS18B20(Text(w1_slave(SCRATCHPAD)), quantity="water_temperature")
    await driver.start()
    readings = await driver.read()
    assert tuple(readings[0]) == ("water_temperature", 27.5, "Cel", "ok")
    await driver.close()


def test_an_unknown_quantity_is_refused() -> None:
    """What the probe cannot measure is named."""
    assert fault_of(ds18b20.DS18B20, Text(""), "humidity") == "input"


def test_the_older_sister() -> None:
    """A DS18S20 has half degrees and a remainder, and its own power-on value."""
    found = vectors("scratchpad", "DS18S20")
    assert len(found) == 3
    for row in found:
        scratchpad = bytes.fromhex(row["input"]["scratchpad"])
        fault = row["expected"].get("fault", "")
        assert fault_of(ds18b20.decode_s, scratchpad) == fault
        if not fault:
            assert ds18b20.decode_s(scratchpad) == row["expected"]["temperature_c"]
    broken = with_crc(bytes([0x32, 0, 0x4B, 0x46, 0xFF, 0xFF, 0x0C, 0]))
    assert fault_of(ds18b20.decode_s, broken) == "framing"
    assert fault_of(ds18b20.decode_s, bytes(9)) == "no_data"

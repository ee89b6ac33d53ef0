from drivers import ms5837
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited, fault_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True


ms5837.CONVERSION_S = ms5837.RESET_S = 0.001  # A fake chip is ready at once.
MODELS = {"MS5837-30BA": "30ba", "MS5837-02BA": "02ba", "MS5611": "5611", "MS5607": "5607"}
NAMES = {
    "dT": 0,
    "temp_1st_centi": 1,
    "off": 2,
    "sens": 3,
    "p_1st_decimbar": 4,
    "p_1st_centimbar": 4,
    "temp_2nd_centi": 5,
    "p_2nd_decimbar": 6,
    "p_2nd_centimbar": 6,
}


def prom_of(row: "dict[str, Any]", product: int) -> "list[int]":
    """The PROM of a chip with the coefficients of a row, its CRC in its place."""
    prom = [product << 5]
    prom.extend(row["input"]["prom_c1_c6"])
    prom[0] |= ms5837.crc4(prom) << 12
    return prom


def chip(model: str, product: int) -> "dict[bytes, bytes | list[bytes]]":
    """The answers of a chip of that model, as in the worked example of its data sheet."""
    (row,) = [row for row in rows("ms5837", "d1") if MODELS[row["sensor"]] == model]
    words = prom_of(row, product)
    answers: dict[bytes, bytes | list[bytes]] = {
        bytes([ms5837.PROM_READ + 2 * i]): word.to_bytes(2, "big") for i, word in enumerate(words)
    }
    answers[b"\x00"] = [row["input"][name].to_bytes(3, "big") for name in ("d1", "d2")]
    return answers


def test_worked_examples() -> None:
    """Every model gives the numbers that its data sheet prints, step by step."""
    found = rows("ms5837", "prom_c1_c6")
    assert len(found) == 4
    for row in found:
        given = row["input"]
        raw = ms5837.compensate(
            MODELS[row["sensor"]], tuple(given["prom_c1_c6"]), given["d1"], given["d2"]
        )
        for name, value in row["expected"].items():
            if name in NAMES:
                assert raw[NAMES[name]] == value, name


def test_the_checksum_of_the_prom() -> None:
    """The example of the application note gives 11, and no flipped bit goes unnoticed."""
    (row,) = rows("ms5837", "prom")
    assert ms5837.crc4([int(word, 16) for word in row["input"]["prom"]]) == 11
    prom = prom_of(rows("ms5837", "d1")[0], 0x1A)
    ms5837.check_prom(prom)
    for word in range(7):
        for bit in range(16):
            damaged = list(prom)
            damaged[word] ^= 1 << bit
            assert fault_of(ms5837.check_prom, damaged) == "crc"
    assert fault_of(ms5837.check_prom, [0] * 7) == "no_data"
    assert fault_of(ms5837.check_prom, prom[:5]) == "length"


def test_cold_water_is_corrected() -> None:
    """Below 20 °C, and again below -15 °C, the second order changes the result."""
    coefficients = (34982, 36352, 20328, 22354, 26646, 26146)
    for model in ("30ba", "02ba", "5611", "5607"):
        cold = ms5837.compensate(model, coefficients, 4958179, 5_900_000)
        assert cold.temp_1st_centi < -500
        assert cold.temp_2nd_centi < cold.temp_1st_centi
        assert cold.p_2nd != cold.p_1st
    assert ms5837.second_order("02ba", 1_000_000, 3000) == (0, 0, 0)
    assert ms5837.second_order("30ba", 1_000_000, 3000) == (14, 62500, 0)


async def test_a_reading_of_each_model() -> None:
    """The same wire, and other digits: 4 bar for the one, 1.1 bar for the other."""
    for kind, model, product, wanted in (
        (ms5837.MS583730BA, "30ba", 0x1A, [3999.8, 19.81]),
        (ms5837.MS583702BA, "02ba", 0x15, [1100.02, 20.0]),
        (ms5837.MS583702BA, "02ba", 0x00, [1100.02, 20.0]),
    ):
        driver = kind(DirectI2C(FakeI2C({}, -1, {0x76: chip(model, product)})))
        await driver.start()
        assert [one.value for one in await driver.read()] == wanted
        await driver.close()


async def test_another_model_is_refused() -> None:
    """The PROM names the model, so a mix-up is found at the start and not in the values."""
    bus = DirectI2C(FakeI2C({}, -1, {0x76: chip("02ba", 0x15)}))
    assert await fault_awaited(ms5837.MS583730BA(bus).start()) == "wrong_chip"


async def test_a_conversion_that_was_not_done_is_no_reading() -> None:
    """The chip answers 0 when it is read too early."""
    answers = chip("30ba", 0x1A)
    answers[b"\x00"] = bytes(3)
    driver = ms5837.MS583730BA(DirectI2C(FakeI2C({}, -1, {0x76: answers})))
    await driver.start()
    assert await fault_awaited(driver.read()) == "no_data"

import json
import random
from pathlib import Path
from typing import Any

import pytest

from drivers import ds18b20, pms5003
from drivers.errors import DriverError, NoDataError
from edge.decode import DECODERS, MESSAGE_MAX, decode, decode_command, known, render

FRAMES = Path(__file__).parent.parent / "frames"
ALSO = {
    "PMS5003/PMSA003I": ("pms7003", "pmsa003i"),
    "1-Wire": ("ds18b20",),
    "Atlas EZO": ("ezo_ph", "ezo_do", "ezo_ec"),
}
ROWS = [row for path in sorted(FRAMES.glob("*.json")) for row in json.loads(path.read_text())]
PUBLIC = [row for row in ROWS if not row["id"].startswith("own-")]
VECTORS = [
    pytest.param(kind, row, id=f"{row['id']}-{kind}")
    for row in ROWS
    for kind in (row["sensor"], *ALSO.get(row["sensor"], ()))
]
FRAME = "424d001c00000008000800000008000800d20046002d001e00000000970002c5"


def run(
    capsys: pytest.CaptureFixture[str], kind: str, text: str, *, as_json: bool = False
) -> tuple[int, str, list[str]]:
    """Exit status, standard output, and the lines of standard error."""
    status = decode_command(kind, text, as_json=as_json)
    captured = capsys.readouterr()
    return status, captured.out, captured.err.splitlines()


def agrees(found: Any, wanted: Any, tolerance: float) -> bool:
    """Whether a value is the expected one; lists are compared one by one."""
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(
            agrees(*pair, tolerance) for pair in zip(found, wanted, strict=True)
        )
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        return bool(found == pytest.approx(wanted, abs=tolerance or 1e-9))
    return bool(found == wanted)


@pytest.mark.parametrize(("kind", "row"), VECTORS)
def test_vectors(capsys: pytest.CaptureFixture[str], kind: str, row: dict[str, Any]) -> None:
    """Every expected value of every captured frame comes out of the command, or its fault."""
    expected = {name: value for name, value in row["expected"].items() if name != "note"}
    fault = expected.pop("fault", None)
    _, out, _ = run(capsys, kind, json.dumps(row["input"]), as_json=True)
    result = json.loads(out)
    assert result.get("fault") == fault
    tolerances = row.get("tol", 0)
    for name, value in expected.items():
        tolerance = tolerances.get(name, 0) if isinstance(tolerances, dict) else tolerances
        assert agrees(result["fields"][name], value, tolerance), name


def test_there_are_vectors_for_each_sensor() -> None:
    """The test above has looked at all the rows that we know, and at nearly every decoder."""
    assert len(PUBLIC) == 149
    assert (
        set(DECODERS) - {known(str(kind)) for kind, _ in (one.values for one in VECTORS)} == set()
    )


@pytest.mark.parametrize("name", ["MH-Z19B", "mhz19b", "mh_z19b", "MH-Z19B/C"])
def test_a_sensor_may_be_called_as_people_write_it(name: str) -> None:
    """Signs and capitals do not matter, and of several names the first one counts."""
    assert known(name) == "mhz19b"


def test_readings_have_a_unit_and_a_quality() -> None:
    """A reading comes out as the journal would get it."""
    assert decode("pms5003", {"frame": FRAME})["readings"][1] == {
        "quantity": "pm2_5",
        "value": 8,
        "unit": "ug/m3",
        "quality": "ok",
    }


def test_a_frame_of_zeros_is_decoded_as_warming_up() -> None:
    """A good frame that holds no measurement has no values, and the result says why."""
    zeros = pms5003.with_sum(bytes.fromhex(FRAME)[:4] + bytes(24) + b"\x97\x00").hex()
    result = decode("pms5003", {"frame": zeros})
    assert {reading["value"] for reading in result["readings"]} == {None}
    assert result["fields"]["quality"] == "warming_up"


def test_a_stream_gives_its_good_frames() -> None:
    """Noise and a damaged frame are skipped and counted."""
    damaged = FRAME[:20] + "ff" + FRAME[22:]
    result = decode("pms5003", {"stream": "42ff" + FRAME + damaged + FRAME})
    assert len(result["fields"]["frames"]) == 2
    assert len(result["readings"]) == 18
    assert result["fields"]["damaged"] == 1
    assert result["fields"]["skipped_bytes"] == 34


def test_a_stream_without_a_frame_says_why() -> None:
    """The fault is that of the first thing that begins like a frame."""
    for stream, fault in (
        ("ffff", "framing"),
        (FRAME[:40], "incomplete"),
        (FRAME[:-2] + "00", "checksum"),
    ):
        with pytest.raises(DriverError) as caught:
            decode("pms5003", {"stream": stream})
        assert caught.value.fault == fault


def test_the_kind_decides_the_layout() -> None:
    """The same bytes are two counts of a PMS5003 and the climate of a PMS5003T."""
    as_t = decode("pms5003t", {"frame": FRAME})["fields"]
    assert (as_t["temperature_c"], as_t["humidity_rh"]) == (0.0, 0.0)
    assert "n50" not in as_t
    assert "temperature_c" not in decode("pms5003", {"frame": FRAME})["fields"]


def test_a_chip_is_named() -> None:
    """An id alone tells the chip; a foreign one is refused."""
    assert decode("bme280", {"regs": {"0xD0": "58"}})["fields"] == {"chip": "BMP280"}
    with pytest.raises(DriverError, match="BME680") as caught:
        decode("bme280", {"regs": {"0xD0": "61"}})
    assert caught.value.fault == "wrong_chip"


def test_registers_may_be_given_as_one_image() -> None:
    """One long run of registers holds the calibration of both places and the output."""
    row = next(row for row in ROWS if row["id"] == "bme280-periph-int")
    image = bytearray(0x100 - 0x88)
    for start, run_of in ((0x88, row["input"]["calib_88"]), (0xE1, row["input"]["calib_e1"])):
        image[start - 0x88 : start - 0x88 + len(run_of) // 2] = bytes.fromhex(run_of)
    image[0xD0 - 0x88] = 0x60
    image[0xF7 - 0x88 : 0xFF - 0x88] = bytes.fromhex("4b77007ff500790b")
    fields = decode("bme280", {"regs": {"0x88": image.hex()}})["fields"]
    assert fields["humidity_q22_10"] == row["expected"]["humidity_q22_10"]
    assert fields["pressure_q24_8"] == row["expected"]["pressure_q24_8"]


@pytest.mark.parametrize(
    ("kind", "text", "named"),
    [
        ("pms9", "{}", "pms5003t"),
        ("pms5003", "{", "no JSON"),
        ("pms5003", "[" * 100_000, "no JSON"),
        ("pms5003", "[1]", "no JSON object"),
        ("pms5003", "{}", "frame, stream, command"),
        ("pms5003", '{"frme": "42"}', "'frme'"),
        ("pms5003", '{"frame": "42", "stream": "42"}', "frame and stream"),
        ("pms5003", '{"frame": "4g"}', "'4g'"),
        ("pms5003", '{"frame": 42}', "42"),
        ("pms5003", '{"command": "explode"}', "explode"),
        ("pms5003", '{"frame": "424d001c0005"}', "incomplete"),
        ("bme280", '{"adc_t": 1}', "adc_p"),
        ("bme280", '{"adc_t": true}', "True"),
        ("bme280", '{"adc_t": NaN}', "nan"),
        ("bme280", '{"adc_t": 524112, "adc_p": 1048576}', "1048576"),
        ("bme280", '{"adc_t": 524112, "adc_p": 309104}', "calib_88"),
        ("bme280", '{"regs": {"0x1FF": "00"}}', "0x1FF"),
        ("bme280", '{"regs": {"0xF7": "00000000000000000000"}}', "0xF7"),
        ("bme280", '{"regs": 5}', "5"),
        ("bme280", '{"chip_ids": 5}', "5"),
        ("ds18b20", '{"scratchpad": "b8014b467fff08108b"}', "b8014b467fff08108b"),
        ("ds18b20", '{"w1_slave": ""}', "empty"),
        ("ds18b20", '{"temp_lsb_msb": "d0"}', "1 bytes"),
        ("ds18b20", '{"rom": "021cb801000000a3"}', "021cb801000000a3"),
        ("ds18b20", '{"rom": "\\ud800"}', "\\ud800"),
    ],
)
def test_bad_input_is_one_line_that_names_it(
    capsys: pytest.CaptureFixture[str], kind: str, text: str, named: str
) -> None:
    """The exit status is 1, and one line on standard error names the thing and the value."""
    status, out, lines = run(capsys, kind, text)
    assert (status, out, len(lines)) == (1, "", 1)
    assert named in lines[0]


def test_a_fault_can_be_had_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the fault comes on standard output, with what was read all the same."""
    status, out, lines = run(
        capsys, "ds18b20", '{"scratchpad": "50054b467fff0c101c"}', as_json=True
    )
    found = json.loads(out)
    assert (status, len(lines)) == (1, 1)
    assert (found["kind"], found["fault"]) == ("ds18b20", "power_on_value")
    assert found["fields"] == {"raw_c": 85.0}


def test_a_result_can_be_had_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the whole result is one JSON object."""
    given = {"frame": FRAME}
    status, out, lines = run(capsys, "pms5003", json.dumps(given), as_json=True)
    assert (status, lines) == (0, [])
    assert json.loads(out) == decode("pms5003", given)


def test_a_result_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Each reading stands on its own line with value, unit and quality."""
    status, out, _ = run(capsys, "ds18b20", '{"temp_lsb_msb": "9101"}')
    assert status == 0
    assert "temperature          25.06 Cel        ok" in out
    assert render(decode("pms5003", {"command": "read"})) == 'pms5003:\n    tx = "424de200000171"'


def random_value(rng: random.Random, depth: int) -> Any:
    """Some JSON value, now and then one that is nearly right."""
    near = [FRAME, FRAME[:-1], "d007", "0xF7", "read", "b8 01 : crc=00 YES", " ".join(["0"] * 99)]
    far: list[Any] = [
        None,
        True,
        0,
        -1,
        2**64,
        1.5,
        float("nan"),
        "",
        "\ud800",
        "ก",
        [],
        {},
        524112,
        85,
    ]
    if depth and rng.random() < 0.3:
        keys = ["0xD0", "0x88", "0xF7", "0xE1", "", "x"]
        return {rng.choice(keys): random_value(rng, depth - 1) for _ in range(rng.randrange(4))}
    if depth and rng.random() < 0.1:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if rng.random() < 0.3:
        return rng.randbytes(rng.choice((1, 6, 7, 8, 9, 24, 26, 32))).hex()
    return rng.choice(near + far)


def test_no_input_ends_in_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever JSON comes in, the status is 0, or 1 with one readable line."""
    rng = random.Random(11)  # noqa: S311 # seeded, no secret
    statuses = set()
    for _ in range(4000):
        kind = rng.choice(sorted(DECODERS))
        _, keys = DECODERS[kind]
        given = {rng.choice([*keys, "x"]): random_value(rng, 2) for _ in range(rng.randrange(4))}
        status, _, lines = run(capsys, kind, json.dumps(given), as_json=rng.random() < 0.5)
        assert len(lines) == status
        assert all(len(line) < MESSAGE_MAX + 100 for line in lines)
        statuses.add(status)
    assert statuses == {0, 1}


def test_random_registers_never_crash() -> None:
    """Any calibration and any output give readings or a fault, never another error."""
    rng = random.Random(5)  # noqa: S311 # seeded, no secret
    for _ in range(2000):
        regs = {"0x88": rng.randbytes(26).hex(), "0xE1": rng.randbytes(7).hex()}
        regs["0xF7"] = rng.randbytes(8).hex()
        try:
            readings = decode("bme280", {"regs": regs})["readings"]
        except NoDataError:  # A calibration that divides by zero.
            continue
        for reading in readings:
            assert (reading["value"] is None) == (reading["quality"] != "ok")


def test_every_flipped_bit_of_a_frame_is_a_fault() -> None:
    """No single damaged bit of a frame or of a scratchpad decodes."""
    scratchpad = "b8014b467fff08108a"
    for kind, key, text in (("pms5003", "frame", FRAME), ("ds18b20", "scratchpad", scratchpad)):
        for bit in range(len(text) * 4):
            damaged = bytearray.fromhex(text)
            damaged[bit // 8] ^= 1 << bit % 8
            with pytest.raises(DriverError):
                decode(kind, {key: damaged.hex()})


def test_the_decoders_are_the_drivers_own() -> None:
    """What is decoded here is decoded by the same code as on the kiosk."""
    assert decode("pms5003", {"command": "wake"})["fields"]["tx"] == pms5003.command("wake").hex()
    assert decode("1-wire", {"rom": "021cb801000000a2"})["fields"]["device"] == (
        ds18b20.device_name(bytes.fromhex("021cb801000000a2"))
    )

import subprocess
from pathlib import Path

import pytest

from kiosk_ui.workbook_read import DEFAULT_WORKBOOK
from tests.kiosk_ui import workbooks
from tests.waiting import ANGSILA


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an order of `angsila pack`."""
    return subprocess.run(
        [ANGSILA, "pack", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_from_the_workbook_to_a_pack_that_two_people_signed(tmp_path: Path) -> None:
    """Every order of the README, in its order, without drawing."""
    sheet, pack = tmp_path / "angsila.xlsx", tmp_path / "angsila.pack"

    assert run("workbook", sheet).returncode == 0
    assert run("check", sheet, "--no-screens").returncode == 0
    assert run("build", sheet, pack, "--no-screens").returncode == 0
    publics = [run("key", tmp_path / name).stdout.strip() for name in ("clerk.key", "mayor.key")]
    assert "not signed" in run("show", pack).stdout
    assert run("sign", pack, "--key", tmp_path / "clerk.key").returncode == 0
    again = run("sign", pack, "--key", tmp_path / "clerk.key")
    assert run("sign", pack, "--key", tmp_path / "mayor.key").stdout.endswith("has 2 signatures\n")
    shown = run("show", pack)

    assert again.returncode == 1
    assert "has signed it already" in again.stderr
    assert all(f"signed by {public}\n" in shown.stdout for public in publics)
    assert "69 entries" in shown.stdout


def test_a_bad_workbook_is_told_cell_by_cell_and_gives_no_pack(tmp_path: Path) -> None:
    """In Thai and English, with exit status 1; nothing is written."""
    path = workbooks.edited(tmp_path, "goods", "oyster", name_th="", text_en="<b>Oysters</b>")
    done = run("build", path, tmp_path / "a.pack", "--no-screens")

    assert done.returncode == 1
    assert "ERROR goods, row 5, column name_th (C5)" in done.stderr
    assert "ชีต goods แถว 5 คอลัมน์ text_en: ไม่รองรับ HTML" in done.stderr
    assert "2 errors" in done.stderr
    assert not (tmp_path / "a.pack").exists()


def test_a_text_that_does_not_fit_gives_no_pack(tmp_path: Path) -> None:
    """The screens are drawn unless somebody says not to."""
    path = workbooks.edit(workbooks.small(tmp_path), "goods", "oyster", text_en="WWWWWWW " * 37)
    done = run("build", path, tmp_path / "a.pack")

    assert done.returncode == 1
    assert "ERROR goods, row 5, column text_en (J5)" in done.stderr
    assert "text size A++" in done.stderr
    assert not (tmp_path / "a.pack").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "none.xlsx"), "none.xlsx: cannot be read"),
        (("show", "none.pack"), "none.pack"),
        (("sign", "none.pack", "--key", "none.key"), "none.key is no key"),
        (("workbook", "out.ods"), "a name that ends in .xlsx"),
        (("build", DEFAULT_WORKBOOK, "none/a.pack", "--no-screens"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: tuple[str | Path, ...], message: str) -> None:
    """No order ends in a traceback."""
    done = run(*arguments)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert message in done.stderr.splitlines()[-1]

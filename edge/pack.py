"""The command `angsila pack`: content from a workbook to a signed pack."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import PackError

if TYPE_CHECKING:
    from edge.settings import Settings
    from kiosk_ui.pack_build import Built
    from kiosk_ui.workbook_problems import Problem

# Each command imports what it needs when it runs: a kiosk has neither fonts nor spreadsheets.

TEXT_SIZES = ("a", "a1", "a2")
SPREADSHEET = ".xlsx"

Add = Callable[..., argparse.ArgumentParser]


def add_pack(commands: Any, command: Add) -> Any:
    """Put up `angsila pack` and its orders; `command` adds one, as in `edge.__main__`."""
    pack = commands.add_parser("pack", help="content: from a workbook to a signed pack")
    orders = pack.add_subparsers(required=True, metavar="ORDER")

    check = command(orders, "check", run_check, "check a workbook, and draw its screens")
    build = command(orders, "build", run_build, "build a pack from a workbook")
    for one in (check, build):
        one.add_argument("workbook", type=Path, metavar="WORKBOOK", help="CSV folder, .xlsx, .ods")
        _add_fonts(one)
        words = "do not draw the screens to see what fits"
        one.add_argument("--no-screens", action="store_true", help=words)
    build.add_argument("out", type=Path, metavar="OUT", help="the pack to write")
    build.add_argument("--folder", action="store_true", help="write a folder, not one file")

    preview = command(orders, "preview", run_preview, "draw every screen, language and panel")
    preview.add_argument("source", type=Path, metavar="PACK|WORKBOOK")
    preview.add_argument("folder", type=Path, metavar="DIR")
    words = "screens whose names begin so, such as entry/oyster"
    preview.add_argument("--only", default="", metavar="SCREEN", help=words)
    preview.add_argument("--text", choices=TEXT_SIZES, default="a", help="size: A, A+ or A++")
    _add_fonts(preview)

    show = command(orders, "show", run_show, "tell what is in a pack and who has signed it")
    show.add_argument("pack", type=Path, metavar="PACK")

    key = command(orders, "key", run_key, "make a key to sign packs with")
    key.add_argument("file", type=Path, metavar="FILE")

    sign = command(orders, "sign", run_sign, "sign a pack; two different people must")
    sign.add_argument("pack", type=Path, metavar="PACK")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE")

    workbook = command(orders, "workbook", run_workbook, "write the shipped workbook as .xlsx")
    workbook.add_argument("out", type=Path, metavar=f"OUT{SPREADSHEET}")
    words = "another workbook instead of the shipped one"
    workbook.add_argument("--from", dest="source", type=Path, metavar="WORKBOOK", help=words)
    activate = command(orders, "activate", run_activate, "show a signed pack on this kiosk")
    activate.add_argument("pack", type=Path, metavar="PACK", help="a pack file or folder")
    rollback = command(orders, "rollback", run_rollback, "show the pack before this one again")
    for one in (activate, rollback):
        one.add_argument("--config", type=Path, metavar="FILE", help="settings of the kiosk")
        one.add_argument("--state", type=Path, metavar="DIR", help="where the journal lives")
    return orders


def _add_fonts(parser: argparse.ArgumentParser) -> None:
    words = "take letters that our fonts lack from this one"
    parser.add_argument("--font", type=Path, metavar="FILE", help=words)
    parser.add_argument("--bold-font", type=Path, metavar="FILE", help="the same, for names")


def run_check(arguments: argparse.Namespace) -> int:
    """`angsila pack check`."""
    with content_errors():
        built = _built(arguments)
    return _tell(built)


def run_build(arguments: argparse.Namespace) -> int:
    """`angsila pack build`."""
    with content_errors():
        from kiosk_ui.pack_build import write_folder, write_pack

        built = _built(arguments)
        status = _tell(built)
        if status == 0:
            (write_folder if arguments.folder else write_pack)(arguments.out, built.members)
            print(f"{arguments.out}: {_name(built)}, {sum(map(len, built.members.values()))} bytes")
    return status


def run_preview(arguments: argparse.Namespace) -> int:
    """`angsila pack preview`."""
    with content_errors():
        from kiosk_ui.pack_preview import SHEET, preview
        from kiosk_ui.pack_screens import chromium
        from kiosk_ui.workbook_read import is_workbook

        if is_workbook(arguments.source):
            from kiosk_ui.pack_build import pack_of

            built = _built(argparse.Namespace(**vars(arguments), no_screens=True), "source")
            if status := _tell(built):
                return status
            pack = pack_of(built.members)
        else:
            from kiosk_ui.content import load_pack

            pack = load_pack(arguments.source)
        with chromium() as browser:
            count = preview(browser, pack, arguments.folder, arguments.text, arguments.only)
    print(f"{count} pictures, see {arguments.folder / SHEET}")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """`angsila pack show`."""
    with content_errors():
        from kiosk_ui.content import read_pack
        from kiosk_ui.pack_file import opened
        from kiosk_ui.pack_sign import signers_of

        with opened(arguments.pack) as envelope:
            about, pack, signers = envelope.manifest, read_pack(envelope), signers_of(envelope)
    print(f"{about.id} {about.version}, made on {about.made_on}, digest {about.digest}")
    print(f"for angsila {about.minimum_app} or newer, in {', '.join(about.languages)}")
    print(f"{len(pack.entries)} entries, {len(pack.stalls)} stalls, {len(about.files)} files")
    for signer in signers:
        print(f"signed by {signer.public}" + ("" if signer.good else ": NOT OF THIS PACK"))
    if not signers:
        print("not signed")
    return 0 if all(signer.good for signer in signers) else 1


def run_key(arguments: argparse.Namespace) -> int:
    """`angsila pack key`."""
    with content_errors():
        from kiosk_ui.pack_sign import make_key

        print(make_key(arguments.file))
    return 0


def run_sign(arguments: argparse.Namespace) -> int:
    """`angsila pack sign`."""
    with content_errors():
        from kiosk_ui.pack_sign import load_key, sign

        signers = sign(arguments.pack, load_key(arguments.key))
    print(f"{arguments.pack} has {len(signers)} signature{'s' * (len(signers) > 1)}")
    return 0


def run_workbook(arguments: argparse.Namespace) -> int:
    """`angsila pack workbook`."""
    with content_errors():
        from kiosk_ui.workbook_read import DEFAULT_WORKBOOK, read_workbook
        from kiosk_ui.workbook_write import write_spreadsheet

        if arguments.out.suffix.lower() != SPREADSHEET:
            raise PackError(f"{arguments.out}: a name that ends in {SPREADSHEET} is wanted")
        write_spreadsheet(arguments.out, read_workbook(arguments.source or DEFAULT_WORKBOOK))
    print(arguments.out)
    return 0


def run_activate(arguments: argparse.Namespace) -> int:
    """`angsila pack activate`."""
    from edge.pack_device import activate

    print(activate(*_kiosk(arguments), arguments.pack))
    return 0


def run_rollback(arguments: argparse.Namespace) -> int:
    """`angsila pack rollback`."""
    from edge.pack_device import roll_back

    print(roll_back(*_kiosk(arguments)))
    return 0


def _kiosk(arguments: argparse.Namespace) -> "tuple[Settings, Path]":
    """Settings and state folder of the kiosk that is meant."""
    from edge import __main__ as command
    from edge.settings import load

    settings = load(arguments.config or command.settings_file("gateway.toml"))
    return settings, arguments.state or command.state_folder("kiosk")


def _built(arguments: argparse.Namespace, source: str = "workbook") -> "Built":
    """The pack of a workbook. What does not fit is measured when nothing else is wrong."""
    from kiosk_ui.pack_build import build, pack_of
    from kiosk_ui.pack_glyphs import Sources

    built = build(getattr(arguments, source), Sources(arguments.font, arguments.bold_font))
    if arguments.no_screens or not built.members:
        return built
    from kiosk_ui.pack_fit import report_cuts
    from kiosk_ui.pack_screens import chromium, cut_off

    with chromium() as browser:
        report_cuts(built.checked, cut_off(browser, pack_of(built.members)))
    return built


def _tell(built: "Built") -> int:
    """Print what was found; the status to exit with."""
    report = built.checked.report
    for found in _worst_first(report.problems):
        print(found, file=sys.stderr)
    warnings = len(report.problems) - min(report.errors, len(report.problems))
    words = f"{_name(built)}: {len(built.checked.entries.rows)} entries"
    print(f"{words}, {report.errors} errors, {warnings} warnings", file=sys.stderr)
    return 1 if report.errors else 0


def _worst_first(problems: Sequence["Problem"]) -> list["Problem"]:
    return sorted(problems, key=lambda found: found.level)


def _name(built: "Built") -> str:
    return f"{built.checked.city.id or 'pack'} {built.checked.city.version}"


@contextmanager
def content_errors() -> Iterator[None]:
    """Say in one line what is wrong with a pack, and which extra is not installed."""
    from kiosk_ui.errors import ContentError

    try:
        yield
    except ContentError as error:
        raise PackError(str(error)) from None
    except ModuleNotFoundError as error:
        raise PackError(f"{error.name} is missing: pip install 'angsila-kiosk[pack]'") from None

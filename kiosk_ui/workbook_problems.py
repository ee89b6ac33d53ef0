"""What can be wrong with a workbook, said in English and Thai with sheet, row and column."""

from __future__ import annotations

from typing import NamedTuple

ERROR = "error"  # The pack is not built.
WARNING = "warning"  # It is; somebody should look.
VALUE_MAX = 60
PROBLEMS_MAX = 500

# English and Thai; {value} is the cell, other names are given by who complains.
MESSAGES: dict[str, tuple[str, str]] = {
    # Sheets and columns.
    "no sheet": (
        "the workbook has no such sheet; it is needed",
        "ไม่มีชีตนี้ในสมุดงาน ซึ่งจำเป็นต้องมี",
    ),
    "unknown sheet": (
        "nothing is read from this sheet; the sheets are {known}",
        "ระบบไม่อ่านชีตนี้ ชีตที่ใช้ได้คือ {known}",
    ),
    "no column": ("the sheet needs this column", "ชีตนี้ต้องมีคอลัมน์นี้"),
    "unknown column": (
        "no such column is known; the columns are {known}",
        "ไม่รู้จักคอลัมน์นี้ คอลัมน์ที่ใช้ได้คือ {known}",
    ),
    "double column": (
        "two columns bear this name; delete one",
        "มีสองคอลัมน์ชื่อเดียวกัน ให้ลบออกหนึ่งคอลัมน์",
    ),
    "column language": (
        "{language} is no language of this pack; `languages` in the sheet city has {languages}",
        "ชุดเนื้อหานี้ไม่มีภาษา {language} ช่อง languages ในชีต city กำหนดไว้ว่า {languages}",
    ),
    "no heading": (
        "the column has no heading; give it one or delete the cell",
        "คอลัมน์นี้ไม่มีหัวตาราง ให้ใส่หัวตารางหรือลบเซลล์นี้",
    ),
    # Any cell.
    "html": (
        "HTML is not shown; write plain text, without < > tags and & codes",
        "ไม่รองรับ HTML ให้พิมพ์ข้อความธรรมดา ไม่มีแท็ก < > และรหัส &",
    ),
    "line break": (
        "a line break; write one paragraph",
        "มีการขึ้นบรรทัดใหม่ ให้เขียนเป็นย่อหน้าเดียว",
    ),
    "control": (
        "the invisible character {character} is not allowed; delete it",
        "มีอักขระที่มองไม่เห็น {character} ให้ลบออก",
    ),
    "right to left": (
        "writing from right to left ({character}) cannot be shown; delete it",
        "แสดงตัวอักษรที่เขียนจากขวาไปซ้าย ({character}) ไม่ได้ ให้ลบออก",
    ),
    "long": (
        "{length} characters are too many; {max} are allowed",
        "ยาวเกินไป ({length} อักขระ) ใช้ได้ไม่เกิน {max}",
    ),
    "needed": ("the cell is empty; it is needed", "เซลล์ว่าง จำเป็นต้องกรอก"),
    "no thai": (
        "the Thai text is missing; it is always needed",
        "ไม่มีข้อความภาษาไทย ซึ่งจำเป็นเสมอ",
    ),
    "no translation": (
        "no text in this language; until there is one, English or Thai is shown",
        "ไม่มีข้อความในภาษานี้ ระหว่างนี้จะแสดงภาษาอังกฤษหรือภาษาไทยแทน",
    ),
    "choice": ("one of these is wanted: {allowed}", "ต้องเป็นค่าใดค่าหนึ่ง: {allowed}"),
    "yes": ("yes or no is wanted", "ต้องเป็น yes หรือ no"),
    "number": ("a number from {low} to {high} is wanted", "ต้องเป็นตัวเลขตั้งแต่ {low} ถึง {high}"),
    "day": ("a day like 2026-11-22 is wanted", "ต้องเป็นวันที่แบบ 2026-11-22 (ปี ค.ศ.)"),
    "version": ("a version like 0.1.0 is wanted", "ต้องเป็นเลขรุ่นแบบ 0.1.0"),
    "id": (
        "a name of small letters, digits and hyphens is wanted, at most 64",
        "ต้องเป็นชื่อที่ใช้ตัวพิมพ์เล็ก ตัวเลข และขีดกลาง ไม่เกิน 64 ตัว",
    ),
    "double id": (
        "this id is used before, in {where}; each row needs its own",
        "รหัสนี้ซ้ำกับ {where} แต่ละแถวต้องมีรหัสไม่ซ้ำกัน",
    ),
    "unknown id": ("no row of the other sheets has this id", "ไม่มีแถวใดในชีตอื่นใช้รหัสนี้"),
    # Places.
    "together": (
        "{columns} belong together; fill in all or none",
        "ต้องกรอก {columns} ให้ครบ หรือเว้นว่างทั้งหมด",
    ),
    "outside": (
        "outside the town: {low} to {high} is within; if it is right, put yes into outside_town",
        "อยู่นอกเขตเมือง ในเขตคือ {low} ถึง {high} ถ้าถูกแล้วให้ใส่ yes ใน outside_town",
    ),
    "far": (
        "too far off: {low} to {high} can be reached from here",
        "ไกลเกินไป ค่าที่ใช้ได้คือ {low} ถึง {high}",
    ),
    "sea": (
        "in the sea, about {metres} m from the coast; correct lat or lon, or put yes in over_water",
        "อยู่ในทะเล ห่างฝั่งราว {metres} เมตร ให้แก้ lat หรือ lon หรือใส่ yes ใน over_water",
    ),
    # Facts.
    "unknown icon": (
        "no such drawing; there are {allowed}",
        "ไม่มีภาพวาดชื่อนี้ ที่มีคือ {allowed}",
    ),
    "unknown source": (
        "the sheet sources has no id {missing}; add it there or correct it here",
        "ชีต sources ไม่มีรหัส {missing} ให้เพิ่มในชีตนั้นหรือแก้ที่นี่",
    ),
    "phone": (
        "+66 and the number without its first 0, or a short number like 191, is wanted",
        "ต้องเป็น +66 ตามด้วยเลขที่ตัด 0 ตัวแรกออก หรือเลขสั้น เช่น 191",
    ),
    "website": (
        "an address like https://www.angsilacity.go.th is wanted",
        "ต้องเป็นที่อยู่เว็บแบบ https://www.angsilacity.go.th",
    ),
    "hours rule": (
        "hours like Mo-Fr 08:30-16:30; Sa off are wanted, or 24/7",
        "ต้องเขียนแบบ Mo-Fr 08:30-16:30; Sa off หรือ 24/7",
    ),
    "future": (
        "this day is after made_on of the sheet city",
        "วันที่นี้อยู่หลัง made_on ในชีต city",
    ),
    "old": (
        "checked {days} days before made_on; check it again within {max}",
        "ตรวจสอบไว้ก่อนวัน made_on {days} วัน ควรตรวจใหม่ทุก {max} วัน",
    ),
    "old hours": (
        "checked {days} days before made_on, so the opening hours are not shown; check them again",
        "ตรวจสอบไว้ก่อนวัน made_on {days} วัน จึงไม่แสดงเวลาเปิดปิด โปรดตรวจใหม่",
    ),
    "ends before": (
        "ends before it starts, on {start}; correct one of the two",
        "วันสิ้นสุดอยู่ก่อนวันเริ่ม ({start}) ให้แก้วันใดวันหนึ่ง",
    ),
    "over": ("it is over since {end}; it is not shown", "สิ้นสุดแล้วตั้งแต่ {end} จะไม่แสดง"),
    "needs start": (
        "a confirmed event needs the day on which it starts",
        "งานที่ยืนยันวันแล้วต้องระบุวันเริ่ม",
    ),
    "not approved": (
        "the row is {status}, so it does not ship; approved does",
        "แถวนี้มีสถานะ {status} จึงไม่นำไปแสดง ต้องเป็น approved",
    ),
    # Files beside the workbook.
    "no photo": (
        "there is no photos/{value} beside the workbook",
        "ไม่มีไฟล์ photos/{value} ในโฟลเดอร์ของสมุดงาน",
    ),
    "photo kind": ("a JPEG, PNG or WebP picture is wanted", "ต้องเป็นภาพ JPEG, PNG หรือ WebP"),
    "photo small": (
        "{width} x {height} pixels; the longer side needs at least {min}",
        "ภาพขนาด {width} x {height} พิกเซล ด้านยาวต้องไม่น้อยกว่า {min}",
    ),
    "photo heavy": (
        "{bytes} bytes; at most {max} are allowed",
        "ไฟล์ขนาด {bytes} ไบต์ อนุญาตไม่เกิน {max}",
    ),
    "photo dense": (
        "{bytes} bytes even when made small; {max} are allowed; take one with less fine detail",
        "ย่อแล้วยังหนัก {bytes} ไบต์ อนุญาตไม่เกิน {max} ให้ใช้ภาพที่มีรายละเอียดน้อยกว่านี้",
    ),
    "photo licence": (
        "a photo needs its licence, such as CC BY 4.0 or 'municipality's own'",
        "ภาพถ่ายต้องระบุสัญญาอนุญาต เช่น CC BY 4.0 หรือ ภาพของเทศบาล",
    ),
    "photo by": ("a photo needs the name of who took it", "ภาพถ่ายต้องระบุชื่อผู้ถ่าย"),
    "photo alt": (
        "a photo needs words for who cannot see it",
        "ภาพถ่ายต้องมีคำบรรยายสำหรับผู้ที่มองไม่เห็น",
    ),
    "sound": (
        "an Opus file named ID.LANGUAGE.opus is wanted, with an id and a language of this workbook",
        "ต้องเป็นไฟล์ Opus ชื่อ รหัส.ภาษา.opus โดยใช้รหัสและภาษาในสมุดงานนี้",
    ),
    "map": (
        "a GeoJSON FeatureCollection with a credit is wanted ({reason})",
        "ต้องเป็น GeoJSON แบบ FeatureCollection ที่มี credit ({reason})",
    ),
    # Stalls.
    "stall": (
        "the number over the stall is wanted: 1 to 6 letters or digits",
        "ต้องเป็นหมายเลขแผง ตัวอักษรหรือตัวเลข 1-6 ตัว",
    ),
    "good": (
        "an id of the other sheets is wanted, or a name in this row",
        "ต้องเป็นรหัสในชีตอื่น หรือกรอกชื่อในแถวนี้",
    ),
    "prices": (
        "whole baht, rising, with commas between, at most {max}: 100, 120, 150",
        "ต้องเป็นจำนวนเต็มบาท เรียงจากน้อยไปมาก คั่นด้วยจุลภาค ไม่เกิน {max} ราคา: 100, 120, 150",
    ),
    "pin": (
        "6 digits, not all the same or in a row, or what `angsila stall-pin` printed, is wanted",
        "ต้องเป็นเลข 6 หลัก ไม่ใช่เลขซ้ำกันหมดหรือเลขเรียง หรือข้อความจาก angsila stall-pin",
    ),
    # Levels.
    "order": (
        "the steps of a scale go upwards; this one is not above the one before",
        "ระดับต้องเรียงจากน้อยไปมาก ค่านี้ไม่มากกว่าระดับก่อนหน้า",
    ),
    "last band": (
        "only the last band of pm2_5 has no upper end, and it has none",
        "เฉพาะช่วงสุดท้ายของ pm2_5 ที่ไม่มีค่าบน และต้องเว้นว่าง",
    ),
    "few levels": ("{scale} needs {count} rows", "{scale} ต้องมี {count} แถว"),
    # City.
    "no key": ("the row {key} is missing", "ไม่มีแถว {key}"),
    "unknown key": ("no such key; the keys are {known}", "ไม่รู้จักรายการนี้ ที่ใช้ได้คือ {known}"),
    "unknown word": (
        "the screens have no such word, so it is not used",
        "หน้าจอไม่มีคำนี้ จึงไม่นำไปใช้",
    ),
    "few words": (
        "some words of the screens have no row, such as '{words}'; English is shown",
        "คำบางคำบนหน้าจอไม่มีแถวในชีตนี้ เช่น '{words}' จะแสดงเป็นภาษาอังกฤษ",
    ),
    "parts": (
        "the parts in braces must stay as they are: {parts}",
        "ต้องคงส่วนในวงเล็บปีกกาไว้ตามเดิม: {parts}",
    ),
    "languages": (
        "language codes with commas between, th and en among them, out of {known}",
        "ต้องเป็นรหัสภาษาคั่นด้วยจุลภาค ต้องมี th และ en เลือกจาก {known}",
    ),
    "bbox": (
        "west, south, east and north in degrees",
        "ต้องเป็นขอบตะวันตก ใต้ ตะวันออก และเหนือ เป็นองศา",
    ),
    # What is only seen when it is drawn.
    "no glyph": (
        "no font of the screen has {character}; write it otherwise, or build with --font",
        "ไม่มีแบบอักษรสำหรับ {character} ให้เขียนด้วยอักขระอื่น หรือสร้างชุดด้วย --font",
    ),
    "no fit": (
        "does not fit on the screen {screen} ({language}, {size}, text size {text}); shorten it",
        "ข้อความไม่พอดีกับหน้าจอ {screen} ({language}, {size}, ขนาดตัวอักษร {text}) ให้เขียนสั้นลง",
    ),
    "bundle heavy": (
        "{bytes} bytes of screens in {language}, {max} are allowed; shorten the text of {sheets}",
        "หน้าจอภาษา {language} หนัก {bytes} ไบต์ อนุญาตไม่เกิน {max} ให้ย่อข้อความในชีต {sheets}",
    ),
    "whole": ("the pack cannot be shown: {reason}", "ชุดเนื้อหานี้แสดงไม่ได้: {reason}"),
}


class Problem(NamedTuple):
    """One thing that is wrong, and where."""

    level: str
    code: str
    sheet: str
    row: int | None
    column: str
    cell: str  # As a spreadsheet names it: "N7".
    value: str
    english: str
    thai: str

    def __str__(self) -> str:
        """Three lines for a person: where, and what would be right in two languages."""
        where, place = self.sheet, f"ชีต {self.sheet}"
        if self.row is not None:
            where, place = f"{where}, row {self.row}", f"{place} แถว {self.row}"
        if self.column:
            where, place = f"{where}, column {self.column}", f"{place} คอลัมน์ {self.column}"
        if self.cell:
            where = f"{where} ({self.cell})"
        shown = f': "{short(self.value)}"' if self.value else ""
        return f"{self.level.upper()} {where}{shown}\n  {self.english}\n  {place}: {self.thai}"


def problem(
    code: str,
    sheet: str,
    row: int | None = None,
    column: str = "",
    *,
    cell: str = "",
    value: str = "",
    level: str = ERROR,
    **parts: object,
) -> Problem:
    """A problem with its words filled in."""
    english, thai = (text.format(value=short(value), **parts) for text in MESSAGES[code])
    return Problem(level, code, sheet, row, column, cell, value, english, thai)


def short(value: str) -> str:
    """A cell's text as it can stand in a message: without controls, and not too long."""
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value
    )
    return shown if len(shown) <= VALUE_MAX else f"{shown[: VALUE_MAX - 1]}…"


def name_of(character: str) -> str:
    """A character as a message names it."""
    seen = f"{character} " if character.isprintable() else ""
    return f"{seen}U+{ord(character):04X}"


def cell_name(number: int, row: int) -> str:
    """How a spreadsheet names the cell in this column (from 0) and row: "AB7"."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"

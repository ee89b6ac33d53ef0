import re

import pytest
import segno

from kiosk_ui.content import load_pack
from kiosk_ui.pack_qr import content_of, plain_url, qr_svg


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("https://www.angsilacity.go.th", "HTTPS://WWW.ANGSILACITY.GO.TH"),
        ("https://www.angsilacity.go.th/", "HTTPS://WWW.ANGSILACITY.GO.TH"),
        ("https://a.th/Path?x=1", "https://a.th/Path?x=1"),
        (
            "https://a.th/ประวัติ",
            "https://a.th/%E0%B8%9B%E0%B8%A3%E0%B8%B0%E0%B8%A7%E0%B8%B1%E0%B8%95%E0%B8%B4",
        ),
        ("https://a.th/%E0%B8%9B", "https://a.th/%E0%B8%9B"),
        ("https://บางแสน.ไทย", "HTTPS://XN--72C0BB9DUB0F.XN--O3CW4H"),
    ],
)
def test_a_url_is_upper_case_where_that_is_safe(url: str, content: str) -> None:
    """Scheme and host may be, which makes the code smaller; a path may not."""
    assert plain_url(url) == content


def test_an_upper_case_address_makes_a_smaller_code() -> None:
    """That is why: fewer and larger modules for a phone that is held by a cold hand."""
    url = "https://www.angsilacity.go.th"

    def side(text: str) -> float:
        return segno.make(text, error="m").symbol_size(border=4)[0]

    assert side(plain_url(url)) < side(url)


def test_a_code_leads_to_the_website_else_to_the_position() -> None:
    """What has neither has no code."""
    where = {"lat": 13.341, "lon": 100.927, "precision_m": 120}

    assert content_of({"coordinates": where}, "https://a.th/x") == "https://a.th/x"
    assert content_of({"coordinates": where}, None) == "geo:13.341,100.927"
    assert content_of({"coordinates": None}, None) is None


def test_every_place_with_a_position_has_its_code() -> None:
    """The shipped pack has them, made when it was built."""
    pack = load_pack()
    wanted = {f"qr/{e.id}.svg" for e in pack.entries if e.coordinates or e.website}

    assert set(pack.names("qr/")) == wanted
    assert len(wanted) == 19


def test_a_code_is_a_plain_drawing_with_its_quiet_zone() -> None:
    """Four light modules round it, error correction M, and no script, style or size of its own."""
    svg = qr_svg("geo:13.341,100.927").decode()
    code = segno.make("geo:13.341,100.927", error="m", micro=False, boost_error=False)
    side = code.symbol_size(border=4)[0]

    assert f'viewBox="0 0 {side} {side}"' in svg
    assert code.error == "M"
    assert not re.search(r"script|style|href|width=\"\d+\" height", svg)

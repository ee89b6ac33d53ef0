"""Whether somebody may be standing before the screen: asked before anything disturbs them."""

from kiosk_ui.beat import Beat

SCREEN_DARK_S = 300.0  # A page that was not heard of for so long shows nobody anything.


def nobody_there(beat: Beat | None, now_s: float) -> bool:
    """Whether nobody uses the screen, by its last sign of life; or because there is none."""
    return beat is None or beat.idle or now_s - beat.heard_s > SCREEN_DARK_S

"""What a screen has to be like, asked of the page itself: sizes, gaps, cuts and letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.kiosk_ui.screen import LANGUAGES, MODES, PANELS, set_mode

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Where a rule cannot be kept, and why. All else keeps all of them.
EXCEPTIONS = {
    # Keys are touched up to their neighbour's edge, as on any keyboard: the gap is drawn.
    "key-key": {"gap_mm": 0},
    # Pins lie where their places are; those that would touch become one (map.js).
    "pin-pin": {"gap_mm": 0},
    # Of a 7 inch panel 21 or 51 mm above the bar are within reach, and the whole panel is 91 or
    # 152 mm high. Rows of 15 mm keys, twelve of a PIN, or eight reasons, three faces and two
    # buttons do not go in there: these screens stay as they are.
    "crowded": {"has": ".keys,.reasons,.pad", "small_panel_reach": False},
    # Elsewhere the reasons are 20 mm; low, two rows of them have room for 15.
    "reason": {"reach_mm": 15},
    # The plan is looked at. Its places are stepped through from below ("step").
    "pin": {"reach": False, "edge": False},
    # Five of the bar side by side are narrower than 20 mm where a panel is under 120 mm wide.
    "bar": {"narrow_mm": 120},
}

# In the page: everything to touch on what is shown now, as [name, kind, left, top, width, height].
# A field counts for nothing: keys write into it from wherever the focus is.
TARGETS = """() => [...document.querySelectorAll(
    '#screen :is(button,a,[role=button],[tabindex="0"]), #pager button, #bar button')]
  .filter((e) => e.offsetParent && getComputedStyle(e).visibility !== 'hidden')
  .filter((e) => {  // What flows over pages is on one of them.
    const flow = e.closest('[data-flow]')?.getBoundingClientRect();
    const { left, right } = e.getBoundingClientRect();
    return !flow || (left < flow.right - 1 && right > flow.left + 1);
  })
  .map((e) => {
    const { left, top, width, height } = e.getBoundingClientRect();
    // Keys of a keyboard stand side by side, and pins of a map where their places are.
    const kind = e.closest('.keys') ? 'key' : e.matches('.pin') ? 'pin' :
      e.closest('#bar') ? 'bar' : e.closest('#pager') ? 'pager' :
      e.matches('.reasons .card') ? 'reason' :
      e.matches('.tile:not(.small),.card') ? 'primary' : 'other';
    const name = (e.ariaLabel || e.textContent).trim().slice(0, 24);
    return [name, kind, left, top, width, height];
  })"""

# In the page: show each page of the named screens in each language, and say what is wrong.
# A line box may be taller than its box by a fifth of a letter without touching anything.
CHECK = """async ([languages, wanted, pxPerMm, reach, except]) => {
  const { router, here } = await import(document.querySelector('script[type=module]').src);
  const targets = TARGETS;
  const small = Math.min(innerWidth, innerHeight) <= 600;
  const TARGET = 15, PRIMARY = reach && small ? 17 : 20, GAP = 3, SLACK = 0.11, CSS_PX = 44;
  const line = innerHeight * 0.55;
  const wrong = [];
  let pages = 0, nodes = 0;

  function boxes() {
    const found = [];
    const all = targets();
    for (const [name, kind, left, top, width, height] of all) {
      const least = Math.min(width, height) / pxPerMm;
      const narrow = kind === 'bar' && innerWidth / pxPerMm < except.bar.narrow_mm;
      const large = ['primary', 'bar', 'reason'].includes(kind) && !narrow;
      const need = large ? (reach && except[kind]?.reach_mm) || PRIMARY : TARGET;
      if (least < need - SLACK || Math.min(width, height) < CSS_PX)
        found.push(`${kind} ${name} is ${least.toFixed(1)} mm`);
      const { reach: low = true, edge = true } = except[kind] ?? {};
      if (edge && (left < -1 || top < -1 ||
          left + width > innerWidth + 1 || top + height > innerHeight + 1))
        found.push(`${kind} ${name} is off the screen`);
      const crowded = small && document.querySelector(except.crowded.has);
      if (reach && low && !crowded && top < line - 1)
        found.push(`${kind} ${name} is too high: ${Math.round(top)}`);
    }
    all.forEach((a, i) => all.slice(i + 1).forEach((b) => {
      const gap = except[`${a[1]}-${b[1]}`]?.gap_mm ?? GAP;
      if ((a[1] === 'pin') !== (b[1] === 'pin')) return;  // A pin that is moved under the card.
      const x = Math.max(a[2] - b[2] - b[4], b[2] - a[2] - a[4]);
      const y = Math.max(a[3] - b[3] - b[5], b[3] - a[3] - a[5]);
      if (Math.max(x, y) / pxPerMm < gap - SLACK)
        found.push(`${a[0]} and ${b[0]} are ${(Math.max(x, y) / pxPerMm).toFixed(1)} mm apart`);
    }));
    return found;
  }

  // What lies over what: two things of which neither holds the other, and both say something.
  function overlaps() {
    const found = [];
    const says = (e) => e.matches('svg,img,button,input,textarea,figure') ||
      [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const solid = (e) => {
      if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
      // A map lays its names out itself, and a drawing may lie behind words.
      if (e.closest('.plan,.chart,[data-flow]')) return false;
      if (e.matches('.scene,.north,.maptold')) return false;
      return !e.parentElement.closest('svg,button') && says(e);
    };
    const all = [...document.querySelectorAll('#screen *, #pager *, #bar *')].filter(solid);
    const box = (e) => {
      if (e.matches('svg,img,button,input,textarea,figure')) return [e.getBoundingClientRect()];
      const range = document.createRange();
      range.selectNodeContents(e);
      // Most letters are lower than the box of their line.
      const size = parseFloat(getComputedStyle(e).fontSize);
      return [...range.getClientRects()].filter(({ width }) => width > 1).map((one) => ({
        left: one.left, right: one.right,
        top: one.top + 0.2 * size, bottom: one.bottom - 0.2 * size,
      }));
    };
    const placed = all.map((e) => [e, box(e)]);
    placed.forEach(([a, as], i) => placed.slice(i + 1).forEach(([b, bs]) => {
      if (a.contains(b) || b.contains(a)) return;
      if (a.closest('.photo') && a.closest('.photo') === b.closest('.photo')) return;
      const hit = as.some((p) => bs.some((q) =>
        Math.min(p.right, q.right) - Math.max(p.left, q.left) > 2 &&
        Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 2));
      if (hit) found.push(`${name(a)} lies over ${name(b)}`);
    }));
    return found;
  }

  const name = (e) =>
    `${e.tagName}.${e.getAttribute('class') ?? ''} "${e.textContent.trim().slice(0, 20)}"`;

  const MARK = /[\u0e31\u0e34-\u0e37\u0e47-\u0e4e]/;
  function cuts() {
    const found = [];
    const tops = [...document.querySelectorAll('#screen *, #bar *, #pager *')];
    for (const e of tops) {
      if (e.closest('svg,.plan,textarea') || e.matches('.mapview,[data-flow]')) continue;
      if (!e.offsetParent) continue;
      const style = getComputedStyle(e);
      if (style.display === 'inline' || style.display === 'contents') continue;
      const flows = e.closest('[data-flow]');
      if (e.scrollWidth > e.clientWidth + 1 && !(flows && e === flows) ||
          !flows && e.scrollHeight > e.clientHeight + 0.2 * parseFloat(style.fontSize))
        found.push(`cut ${e.tagName}.${e.className} ${e.scrollWidth}>${e.clientWidth} ` +
          `${e.scrollHeight}>${e.clientHeight} ${e.textContent.trim().slice(0, 30)}`);
      // What Thai sets above a letter and its vowel reaches the top of the letter's box.
      if (style.overflowY !== 'visible' && !flows && MARK.test(e.textContent)) {
        const range = document.createRange();
        range.selectNodeContents(e);
        const top = Math.min(...[...range.getClientRects()].map((one) => one.top));
        if (top < e.getBoundingClientRect().top - 1) found.push(`marks cut off ${name(e)}`);
      }
    }
    // What is set in the middle overflows to both sides, which the browser does not count.
    for (const e of document.querySelectorAll('#screen :is(button,.panel,.take)')) {
      if (!e.offsetParent || e.closest('[data-flow]')) continue;
      const box = e.getBoundingClientRect();
      const slack = e.matches('.take') ? 0.2 * parseFloat(getComputedStyle(e).fontSize) : 1;
      for (const child of e.children) {
        const { top, bottom, height } = child.getBoundingClientRect();
        if (height && (top < box.top - 1 || bottom > box.bottom + slack))
          found.push(`spilled ${e.className} ${e.textContent.trim().slice(0, 30)}`);
      }
    }
    if (document.documentElement.scrollHeight > innerHeight + 1) found.push('scrolls');
    return found;
  }

  // A telephone number that goes on in the next line is read and dialled wrongly, and a word
  // without a hyphen hardly read at all. Addresses of the web may break, and so does Chinese.
  const PHONE = /\\d[\\d-]*-\\d[\\d-]*|\\b\\d{3,}\\b/g;
  const WORD = /^(\\p{Script=Thai}+|[A-Za-z]+)$/u;
  function torn(language) {
    const found = [];
    const words = new Intl.Segmenter(language, { granularity: 'word' });
    const texts = document.createTreeWalker(
      document.querySelector('#screen'), NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (!node.parentElement.offsetParent || node.parentElement.closest('footer,.plan')) continue;
      const parts = [
        ...[...node.data.matchAll(PHONE)].map((match) => [match.index, match[0]]),
        ...[...words.segment(node.data)].map((one) => [one.index, one.segment])
          .filter(([, word]) => WORD.test(word)),
      ];
      for (const [start, word] of parts) {
        const range = document.createRange();
        range.setStart(node, start);
        range.setEnd(node, start + word.length);
        const tops = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
        if (tops.size > 1) found.push(`torn ${word} in ${name(node.parentElement)}`);
      }
    }
    return found;
  }

  document.dispatchEvent(new PointerEvent('pointerdown'));  // Somebody is here.
  for (const language of languages) {
    for (const screen of Object.keys(here.bundles[language].screens)) {
      if (wanted.length && !wanted.some((name) => screen === name || screen.startsWith(name + '/')))
        continue;
      // The first screen comes after a reset, so it knows no modes.
      if (screen === 'attract' && (reach || document.documentElement.dataset.text)) continue;
      for (let page = 0; page < 40; page += 1) {
        router.show({ language, screen, page });
        if (here.current().page !== page) break;
        pages += 1;
        nodes = Math.max(nodes, document.querySelectorAll('*').length);
        const where = `${language} ${screen}@${page}`;
        wrong.push(...[...boxes(), ...cuts(), ...overlaps(), ...torn(language)]
          .map((what) => `${where}: ${what}`));
        if (document.querySelector('#pager').hidden) break;
      }
    }
  }
  return { wrong, pages, nodes };
}""".replace("TARGETS", TARGETS)


def check(page: Page, panel: str, mode: str, *screens: str) -> dict[str, Any]:
    """What is wrong on these screens (all of them if none is named) on a panel in a mode."""
    set_mode(page, mode)
    found: dict[str, Any] = page.evaluate(
        CHECK,
        [list(LANGUAGES), list(screens), PANELS[panel][2], "reach" in MODES[mode], EXCEPTIONS],
    )
    return found

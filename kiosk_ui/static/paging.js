// Pages, not scrolling: as many things on a page as this panel holds at this size of text.
//
// A list says by `data-pages` how it is parted. "grid": equal cards, `--rows` by `--cols` of
// the style sheet at most; with `--whole`, all of them at once in an order of their own is
// tried first. Otherwise: sheets, at most `--per-page` side by side; a sheet that is too long
// even when alone flows on over more pages. Before anything is parted, what the screen can do
// without is left out: `.shed1` first, then `.shed2` and `.shed3`.

const LINE = 0.2; // A line box may be taller than its box by so much of a letter.
const SHEDS = [0, 1, 2, 3];
// What a list came to, by screen, language, modes and panel. Whoever asks the style sheet before
// the answer is in force has every style computed twice.
const measured = new Map();
const long = new Map();

const number = (element, name) => Number(getComputedStyle(element).getPropertyValue(name));

// What the style sheet or a long word would cut off.
function isCut(element) {
  const style = getComputedStyle(element);
  if (style.display === "inline" || style.display === "contents") return false;
  return (
    element.scrollWidth > element.clientWidth + 1 ||
    element.scrollHeight > element.clientHeight + LINE * parseFloat(style.fontSize)
  );
}

// What is set in the middle overflows to both sides, and only one of them counts as overflow.
function spills(item) {
  const box = item.getBoundingClientRect();
  const drawn = [...item.children].filter((child) => child.getClientRects().length);
  return drawn.some((child) => {
    const { top, bottom, height } = child.getBoundingClientRect();
    return height > 0 && (top < box.top - 1 || bottom > box.bottom + 1);
  });
}

// Few are even a little larger than their box, and only those are worth a look at their style.
const hasCut = (root) =>
  isCut(root) || [...root.querySelectorAll(":not(svg,svg *)")].some((one) => isOver(one) && isCut(one));

const isOver = (one) =>
  (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight) && one.offsetParent;

// Whether it takes more than one page however much room there is.
export function isLong(list, key) {
  if (list.dataset.pages === "grid") return false;
  if (!long.has(key)) long.set(key, itemsOf(list).length > perPage(list));
  return long.get(key);
}

const itemsOf = (list) => [...list.children].filter((item) => !("absent" in item.dataset));
const perPage = (list) => number(list, "--per-page") || Infinity;

export function layOut(section, list, key) {
  const items = itemsOf(list);
  for (const item of list.children) item.hidden = !items.includes(item);
  return (list.dataset.pages === "grid" ? grid : sheets)(section, list, items, key);
}

// Equal cards.
function grid(section, list, items, key) {
  if (!measured.has(key)) measured.set(key, measure(section, list, items));
  const found = measured.get(key);
  lay(section, list, found);
  return chunks(items, found.whole ? items.length : found.rows * found.cols);
}

function measure(section, list, items) {
  delete list.dataset.lay;
  delete section.dataset.shed;
  const most = number(list, "--cols") || 1;
  const rows = Math.min(number(list, "--rows") || 1, Math.ceil(items.length / most) || 1);
  if (number(list, "--whole")) {
    for (const shed of SHEDS) {
      const whole = { shed, whole: true };
      lay(section, list, whole);
      const room = section.scrollHeight <= section.clientHeight + 1;
      if (room && !hasCut(section) && !items.some(spills)) return whole;
    }
  }
  const ways = [];
  for (let r = rows; r; r -= 1) for (let c = most; c; c -= 1) ways.push({ rows: r, cols: c });
  ways.sort((a, b) => b.rows * b.cols - a.rows * a.cols || b.rows - a.rows);
  // Fewer on a page, before a card loses its drawing or its note; but not one by one.
  const single = ways.pop(); // One by one, it is the smallest.
  for (const [some, ...sheds] of [[ways, 0, 1], [ways, 2], [ways, 3], [[single], ...SHEDS]]) {
    for (const way of some) {
      for (const shed of sheds) {
        const tried = { ...way, shed };
        lay(section, list, tried);
        if (!beside(section, list).some(hasCut) && fits(list, items, way.rows)) return tried;
      }
    }
  }
  return { rows: 1, cols: 1, shed: SHEDS.at(-1) };
}

const beside = (section, list) => [...section.children].filter((child) => child !== list);

function lay(section, list, { shed, whole, rows, cols }) {
  section.dataset.shed = shed;
  list.dataset.lay = whole ? "whole" : "grid";
  list.dataset.rows = whole ? "" : rows;
  list.style.gridTemplate = whole
    ? ""
    : `repeat(${rows},minmax(0,1fr)) / repeat(${cols},minmax(0,1fr))`;
}

// All items at once, in rows of the height that they would have on a page of their own.
function fits(list, items, rows) {
  const style = getComputedStyle(list);
  const room = list.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
  const row = (room - (rows - 1) * parseFloat(style.rowGap)) / rows;
  list.style.gridTemplateRows = "none";
  list.style.gridAutoRows = `${Math.floor(row)}px`;
  const good = items.every((item) => item.offsetHeight <= row + 0.5 && !hasCut(item) && !spills(item));
  list.style.gridAutoRows = "";
  list.style.gridTemplateRows = `repeat(${rows},minmax(0,1fr))`;
  return good;
}

// Sheets of their own heights.
function sheets(section, list, items, key) {
  if (!measured.has(key)) measured.set(key, measureSheets(section, list, items));
  const found = measured.get(key);
  items.forEach((item, index) => {
    if (found.flows.includes(index)) item.dataset.flow = "";
    else delete item.dataset.flow;
  });
  return found.pages.map(({ numbers, whole: kept = [], column, shed }) => ({
    items: numbers.map((number) => items[number]),
    whole: kept.map((number) => items[number]),
    column,
    shed,
  }));
}

function measureSheets(section, list, items) {
  for (const item of items) delete item.dataset.flow;
  const most = perPage(list);
  const numbered = ({ items: some, column, shed, whole: kept = [] }) => ({
    numbers: some.map((item) => items.indexOf(item)),
    whole: kept.map((item) => items.indexOf(item)),
    column,
    shed,
  });
  for (const shed of SHEDS) {
    section.dataset.shed = shed;
    const pages = chunks(items, most);
    if (pages.every((page) => turn(items, page, list))) {
      if (shed) for (const page of pages) page.whole = whole(items, page, list);
      return { flows: [], pages: pages.map((page) => numbered({ ...page, shed })) };
    }
  }
  // Alone, each sheet leaves out no more than it has to; what is too long even then flows on.
  const flows = [];
  const pages = items.flatMap((item, index) => {
    const alone = { items: [item] };
    for (const shed of SHEDS) {
      section.dataset.shed = shed;
      if (turn(items, alone, list)) return [{ ...alone, shed }];
    }
    flows.push(index);
    item.dataset.flow = "";
    const count = Math.round(item.scrollWidth / step(item));
    return Array.from({ length: Math.max(count, 1) }, (_, column) => ({
      ...alone,
      column,
      shed: SHEDS.at(-1),
    }));
  });
  return { flows, pages: together(section, list, items, pages).map(numbered) };
}

// Neighbours that need not be alone stand on one page.
function together(section, list, items, pages) {
  const most = perPage(list);
  return pages.reduce((done, page) => {
    const last = done.at(-1);
    const both = last && { items: [...last.items, ...page.items], shed: page.shed };
    const apart = !both || last.shed !== page.shed || both.items.length > most;
    if (apart || both.items.some((item) => "flow" in item.dataset)) return [...done, page];
    section.dataset.shed = page.shed;
    return turn(items, both, list) ? [...done.slice(0, -1), both] : [...done, page];
  }, []);
}

// Of two side by side, one may have room for what the other has to leave out.
function whole(items, page, list) {
  const kept = [];
  for (const item of page.items) {
    if (turn(items, { items: page.items, whole: [...kept, item] }, list)) kept.push(item);
  }
  return kept;
}

// What is shown may have grown since it was measured: live values, or a drawing that came late.
export function outgrown(list, page, key) {
  if (page.column !== undefined || !page.items.some(hasCut)) return false;
  measured.delete(key);
  return true;
}

function turn(items, page, list) {
  keep(page);
  list.dataset.alone = page.items.length;
  for (const item of items) item.hidden = !page.items.includes(item);
  return !isCut(list) && !page.items.some((item) => hasCut(item) || spills(item));
}

function keep({ items, whole: kept = [] }) {
  for (const item of items) item.toggleAttribute("data-whole", kept.includes(item));
}

const step = (item) => {
  const style = getComputedStyle(item);
  const sides = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  return item.clientWidth - sides + parseFloat(style.columnGap);
};

const chunks = (items, most) =>
  Array.from({ length: Math.max(1, Math.ceil(items.length / most)) }, (_, page) => ({
    items: items.slice(page * most, (page + 1) * most),
  }));

export function turnTo(list, page) {
  if (page.shed !== undefined) list.closest("section").dataset.shed = page.shed;
  list.dataset.alone = page.items.length;
  keep(page);
  for (const item of list.children) item.hidden = !page.items.includes(item);
  if (page.column !== undefined) page.items[0].scrollLeft = page.column * step(page.items[0]);
}

// The technician's screen: five taps in the top right corner, the PIN, and how the kiosk is.
import { current, onAction, onShow, words } from "./here.js";
import { askPin, endSession, tokenOf } from "./pin.js";
import { ask } from "./post.js";
import { show, turnPages } from "./router.js";
import { fill, join } from "./words.js";

const DOOR = "technician";
const TAPS = 5;
const TAPS_MS = 5_000;
const CORNER_MM = 20;
const PERIOD_MS = 5_000;

let taps = [];
let timer = 0;

document.addEventListener(
  "pointerdown",
  ({ clientX, clientY }) => {
    const style = getComputedStyle(document.documentElement);
    const corner = CORNER_MM * parseFloat(style.getPropertyValue("--mm"));
    if (clientX < innerWidth - corner || clientY > corner) taps = [];
    else taps = [...taps.filter((ms) => ms > performance.now() - TAPS_MS), performance.now()];
  },
  { capture: true },
);
// The fifth is let go before anything happens, so that it does not touch what comes next.
document.addEventListener("click", () => {
  if (taps.length < TAPS) return;
  taps = [];
  askPin(DOOR, () => show({ screen: DOOR }));
});

onShow(DOOR, (_screen, { screen: name }) => {
  if (!tokenOf(DOOR)) return askPin(DOOR, () => show({ screen: DOOR }));
  if (name === DOOR) look();
});

async function look() {
  clearTimeout(timer);
  const said = await ask("/api/technician", null, tokenOf(DOOR));
  const list = document.querySelector("[data-facts]");
  if (!list) return;
  if (said?.status === 401) {
    endSession();
    return show({ screen: "home" });
  }
  if (said) draw(list, said);
  timer = setTimeout(look, PERIOD_MS);
}

function draw(list, { facts, sensors, left_s: leftS }) {
  const w = words();
  const [browser] = navigator.userAgent.match(/Chrom\w*\/[\d.]+/) ?? ["–"];
  const known = { ...facts, browser: [browser, ""] };
  const rows = [
    ...Object.keys(w)
      .filter((key) => key.startsWith("fact_") && known[key.slice(5)])
      .map((key) => [w[key], ...known[key.slice(5)]]),
    ...sensors.map(({ name, says, simulated, tone }) => [name, join(says, simulated && w.simulated), tone]),
  ];
  const each = Number(getComputedStyle(list).getPropertyValue("--facts"));
  const sheets = Array.from({ length: Math.ceil(rows.length / each) }, (_, sheet) => {
    const made = document.createElement("dl");
    made.append(...rows.slice(sheet * each, (sheet + 1) * each).map((row) => fact(row, w)));
    return made;
  });
  list.replaceChildren(...sheets);
  document.querySelector("[data-left]").textContent = fill(w.sessionLeft, Math.ceil(leftS / 60));
  turnPages();
}

function fact([label, text, tone], w) {
  const row = document.createElement("div");
  const [term, value] = [document.createElement("dt"), document.createElement("dd")];
  row.dataset.well = tone;
  term.textContent = label;
  value.textContent = text.startsWith("!") ? w[`is_${text.slice(1)}`] ?? text.slice(1) : text;
  row.append(term, value);
  return row;
}

onAction("leave", () => {
  endSession();
  show({ screen: "home" });
});

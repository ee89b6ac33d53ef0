// Stalls: what each told for today, and what its keeper tells behind a PIN.
import { current, onAction, onReset, onShow, words } from "./here.js";
import { heard, now } from "./live.js";
import { askPin, tokenOf } from "./pin.js";
import { ask } from "./post.js";
import { show } from "./router.js";
import { fill, join, time } from "./words.js";

const HOLD_MS = 3_000;
const PAINT_MS = 1_000;
const KEEPERS = "th"; // The language of the keepers' screens.

const learned = {}; // What the service has just answered, until it comes with the live values.
let draft = null; // { number, open, sold_out, prices }
let hold = 0;

const one = (name) => document.querySelector(`#screen ${name}`);
const stall = () => one("[data-stall]")?.dataset.stall;

// What holds today; nothing where nobody knows what day it is.
export function today(number) {
  const [live, own] = [heard()?.stalls?.[number], learned[number]];
  const told = own && (!live || own.at_ms > live.at_ms) ? own : live;
  return told && now() !== null && now() < told.until_ms ? told : null;
}

function paint() {
  const number = stall();
  if (!number || !one("[data-open-today]")) return;
  const w = words();
  const told = current().screen.startsWith("vendor") ? draft : today(number);
  const open = one("[data-open-today]");
  open.dataset.is = told?.open ?? "";
  open.textContent = { open: w.stallOpen, closed: w.stallClosed }[told?.open] ?? "";
  for (const row of document.querySelectorAll("#screen li[data-good]")) {
    const gone = told?.sold_out.includes(row.dataset.good);
    row.classList.toggle("gone", Boolean(gone));
    row.lastElementChild.textContent = gone ? w.soldOut : price(row, told, w);
  }
  const line = one("[data-told]");
  if (line && line.textContent !== w.kept) line.textContent = told ? fill(w.toldAt, time(told.at_ms)) : w.stallAsk;
}

function price({ dataset: { good, unit } }, told, w) {
  const baht = told?.prices[good];
  return baht ? [fill(w.baht, baht), unit].filter(Boolean).join("/") : w.askPrice;
}

function mark() {
  const w = words();
  for (const button of document.querySelectorAll(".vendor [data-act=open]")) {
    button.setAttribute("aria-pressed", draft.open === button.dataset.value);
  }
  for (const ware of document.querySelectorAll(".ware[data-good]")) {
    const gone = draft.sold_out.includes(ware.dataset.good);
    ware.querySelector("[data-act=gone]").setAttribute("aria-pressed", gone);
    ware.querySelector("b span").textContent = ware.dataset.presets ? price(ware, draft, w) : "";
  }
}

onShow("stall", paint);
onShow("vendor", (_screen, { screen: name }) => {
  const number = stall();
  if (!tokenOf(`stall/${number}`)) return show({ screen: `stall/${number}` });
  if (name.endsWith("/sure")) return paint();
  if (draft?.number !== number) {
    const { open = null, sold_out: gone = [], prices = {} } = today(number) ?? {};
    draft = { number, open, sold_out: [...gone], prices: { ...prices } };
  }
  mark();
});

onAction("open", ({ dataset: { value } }) => {
  draft.open = draft.open === value ? null : value;
  mark();
});
onAction("gone", (button) => {
  const { good } = button.closest("[data-good]").dataset;
  const gone = draft.sold_out.includes(good);
  draft.sold_out = gone ? draft.sold_out.filter((one) => one !== good) : [...draft.sold_out, good];
  mark();
});
onAction("price", (button) => {
  const { good, presets } = button.closest("[data-good]").dataset;
  const prices = [null, ...presets.split(" ").map(Number)]; // Before the first: no price told.
  const place = prices.indexOf(draft.prices[good] ?? null) + Number(button.dataset.value);
  const chosen = prices[Math.min(Math.max(place, 0), prices.length - 1)];
  if (chosen === null) delete draft.prices[good];
  else draft.prices[good] = chosen;
  mark();
});
onAction("confirm", () => show({ screen: `vendor/${draft.number}/sure` }));
onAction("change", () => show({ screen: `vendor/${draft.number}` }));
onAction("tell-today", async (button) => {
  const { number } = draft;
  button.disabled = true;
  const said = await ask("/api/stall", { ...draft, token: tokenOf(`stall/${number}`) });
  button.disabled = false;
  const line = one("[data-said]");
  if (!line) return; // The person has gone.
  const w = words();
  if (said?.status !== 200) {
    line.textContent = { 409: w.noClock, 401: w.over }[said?.status] ?? w.notKept;
    return;
  }
  learned[number] = said;
  show({ screen: `stall/${number}` });
  one("[data-told]").textContent = w.kept;
});

// Three seconds on the card of one's own stall.
function release() {
  clearTimeout(hold);
}
document.addEventListener("pointerdown", ({ target }) => {
  release();
  const number = target.closest?.(".stall .wares") && stall();
  if (!number) return;
  const then = () => show({ language: KEEPERS, screen: `vendor/${number}` });
  hold = setTimeout(() => askPin(`stall/${number}`, then), HOLD_MS);
});
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, release);
setInterval(paint, PAINT_MS);
onReset(() => {
  release();
  draft = null;
  for (const number of Object.keys(learned)) delete learned[number];
});

// Search: results while typing. What is typed stays in this module until the person has gone.
import { extras, onAction, onReset, onShow, setting, words } from "./here.js";
import { find, prepare } from "./find.js";
import { forget, keyboard, press } from "./keyboard.js";
import { fill } from "./words.js";

const CANDIDATES_MAX = 4;
const SIZES = [1, 0.92, 0.84, 0.76, 0.68, 0.6];

const indexes = new WeakMap(); // One of each bundle, made when it is first searched.
let query = "";
let page = 0;
let found = [];
let drawn = {}; // How the box was filled.
const chipped = new Map(); // And how with chips, by page and setting: most find it so.
const part = (name) => document.querySelector(`.search ${name}`);

function index() {
  const all = extras();
  if (!indexes.has(all)) indexes.set(all, prepare(all));
  return indexes.get(all);
}

// Made while nobody waits for it.
onShow("attract", () => requestIdleCallback(() => index()));

onShow("search", () => {
  const input = part("input");
  input.value = query;
  input.addEventListener("input", () => {
    query = input.value;
    page = 0;
    // The letter is painted first, then what it finds.
    requestAnimationFrame(() => setTimeout(look));
  });
  keyboard(part(".keys"), input);
  look();
  // Room comes and goes after the screen is there: the last one's pager, larger letters.
  const watch = new ResizeObserver(() => {
    if (!input.isConnected) return watch.disconnect();
    keyboard(part(".keys"), input);
    if (size(part(".found")) === drawn.size) return;
    chipped.clear();
    draw();
  });
  watch.observe(part(".found"));
});

function look() {
  if (!part("input")) return;
  found = find(index(), query);
  draw();
}

function draw() {
  const w = words();
  const nothing = query.trim() && !found.length;
  const shown = found.length ? found : chips();
  const box = part(".found");
  box.dataset.kind = found.length ? "cards" : "chips";
  const key = page + setting();
  drawn = (!query && chipped.get(key)) || { size: size(box), room: room(box) };
  const each = Math.max(1, drawn.room - Boolean(nothing));
  const pages = Math.max(1, Math.ceil(shown.length / each));
  page %= pages;
  box.replaceChildren(...shown.slice(page * each, (page + 1) * each).map(card));
  if (nothing) box.prepend(none(w.nothingFound));
  drawn.fonts ??= fit(box.children);
  [...box.children].forEach((one, i) => (one.style.fontSize = drawn.fonts[i]));
  if (!query) chipped.set(key, drawn);
  part(".count").textContent = found.length ? fill(w.foundCount, found.length) : "";
  part(".wipe").disabled = !query;
  part(".turn").disabled = pages < 2;
  part("[data-part]").textContent = pages < 2 ? "" : `${page + 1}/${pages}`;
  candidates();
}

const size = ({ clientWidth, clientHeight }) => `${clientWidth}x${clientHeight}`;

// How many there is room for: the keys and the size of the letters leave more or less.
function room(box) {
  const style = getComputedStyle(box);
  const number = (name) => parseFloat(style.getPropertyValue(name));
  const [across, least, gap] = ["--across", "--hit", "row-gap"].map(number);
  const rows = Math.floor((box.clientHeight + gap) / (least + gap));
  return across * Math.max(1, rows);
}

// A long name takes smaller letters; most need none of it. All are set before any is measured.
function fit(all) {
  let large = [...all];
  for (const size of SIZES) {
    for (const one of large) one.style.fontSize = `${size}em`;
    large = large.filter((one) => [one, ...one.querySelectorAll("b")].some(isCut));
    if (!large.length) break;
  }
  return [...all].map((one) => one.style.fontSize);
}

// A line box may be taller than its own box by a fifth of a letter.
function isCut(e) {
  const slack = e.matches("b") ? 0.2 * parseFloat(getComputedStyle(e).fontSize) : 1;
  return e.scrollHeight > e.clientHeight + slack || e.scrollWidth > e.clientWidth;
}

function none(text) {
  const line = document.createElement("p");
  line.className = "none";
  line.role = "status";
  line.textContent = text;
  return line;
}

const chips = () =>
  extras().searchChips.map(([go, icon, title, note]) => ({ go, icon, title, note }));

function card({ go, icon, title, note }) {
  const button = document.createElement("button");
  button.className = "hit";
  button.dataset.go = go;
  button.innerHTML = `<svg class="ic" viewBox="0 0 64 64" aria-hidden="true"><use href="#${icon}"/></svg><span><b></b><small></small></span>`;
  button.querySelector("b").textContent = title;
  button.querySelector("small").textContent = note;
  return button;
}

// Chinese words for what was typed in Latin letters, for those who want to see them.
function candidates() {
  const typed = query.toLowerCase().replaceAll(" ", "");
  const read = Object.entries(extras().searchRead)
    .filter(([reading]) => typed && reading.startsWith(typed))
    .sort(([a], [b]) => a.length - b.length);
  const names = [...new Set(read.map(([, word]) => word))].slice(0, CANDIDATES_MAX);
  part(".candidates").replaceChildren(
    ...names.map((name) => {
      const button = document.createElement("button");
      button.dataset.act = "candidate";
      button.lang = "zh-Hans";
      button.textContent = name;
      return button;
    }),
  );
}

function set(text) {
  const input = part("input");
  input.value = text;
  input.dispatchEvent(new Event("input"));
}

onAction("key", press);
onAction("wipe", () => set(""));
onAction("candidate", (target) => set(target.textContent));
onAction("results", () => {
  page += 1;
  draw();
});
onReset(() => {
  query = "";
  page = 0;
  found = [];
  forget();
});

addEventListener("resize", () => part("input") && draw());

// A keyboard of keys and cable types into the field from wherever the focus is.
addEventListener("keydown", (event) => {
  const input = part("input");
  if (!input || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Enter" && event.target === input) part(".hit")?.click();
  else if (event.target === input) return;
  else if (event.key === "Backspace" || (event.key.length === 1 && event.key !== " ")) input.focus();
});

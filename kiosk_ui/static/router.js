// Which screen is shown: fragments of all languages lie in memory, so a tap asks nobody.
import { acting, always, bundles, current, go, resetting, setting, showing } from "./here.js";
import { paint } from "./live.js";
import { isLong, layOut, outgrown, turnTo } from "./paging.js";

const STACK_MAX = 50;

const root = document.documentElement;
const templates = new Map();
const screen = document.querySelector("#screen");
const bar = document.querySelector("#bar");
const pager = document.querySelector("#pager");
const asking = document.querySelector("#asking");

let stack = [];
let focused = null; // Where a person with a keyboard was before the question came.

// A fresh person: nothing of the last one is left.
export function start(language) {
  stack = [];
  for (const forget of resetting) forget();
  show({ language, screen: "attract" });
  // Out of sight is not out of memory: a heap this small is not collected for hours.
  requestIdleCallback(() => globalThis.gc?.({ execution: "async" }));
}

export function show(wanted) {
  const here = current();
  const { language, screen: name, page } = { ...here, page: 0, ...wanted };
  const bundle = bundles[language];
  if (!bundle?.screens[name]) return;
  const fresh = language !== here.language || !bar.firstChild;
  const moved = name !== here.screen || fresh || !screen.firstChild;
  go({ language, screen: name, page });
  if (fresh) translate(bundle, language);
  // The first screen of all came with the page.
  if (moved && (here.language || name !== "attract")) screen.replaceChildren(fragment(language, name));
  const family = name.split("/")[0];
  document.body.dataset.screen = family;
  for (const button of bar.querySelectorAll("[data-go]")) {
    const where = button.dataset.go === name;
    if (where) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  bar.querySelector("[data-back]").disabled = name === "home" || name === "attract";
  if (moved) showing.get(family)?.(screen, current());
  paint(document.body);
  // Before it is laid out: what these show or hide takes room.
  if (moved) for (const call of always) call(screen.firstElementChild, current());
  turnPages();
  if (moved) tellScreen();
}

function translate(bundle, language) {
  root.lang = bundle.html_language;
  root.dataset.language = language;
  document.title = bundle.title;
  bar.innerHTML = bundle.parts.bar;
  bar.hidden = false;
  pager.innerHTML = bundle.parts.pager;
  asking.innerHTML = bundle.parts.asking;
}

// A screen reader and the keyboard go on from the new screen's heading.
function tellScreen() {
  const heading = screen.querySelector("h1");
  if (!heading || current().screen === "attract") return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function fragment(language, name) {
  const key = `${language}/${name}`;
  if (!templates.has(key)) {
    const template = document.createElement("template");
    template.innerHTML = bundles[language].screens[name];
    templates.set(key, template);
  }
  return templates.get(key).content.cloneNode(true);
}

export function turnPages() {
  const here = current();
  pager.hidden = true;
  const list = screen.querySelector("[data-pages]");
  if (!list) return;
  let pages = parted(list);
  turnTo(list, at(pages));
  if (outgrown(list, at(pages), keyOf(list))) {
    pages = parted(list);
    turnTo(list, at(pages));
  }
  here.page = pages.indexOf(at(pages));
  pager.querySelector("[data-count]").textContent = `${here.page + 1}/${pages.length}`;
  pager.querySelector('[data-turn="-1"]').disabled = here.page === 0;
  pager.querySelector('[data-turn="1"]').disabled = here.page === pages.length - 1;
}

const at = (pages) => pages[Math.min(Math.max(current().page, 0), pages.length - 1)];

function parted(list) {
  const part = () => layOut(screen.firstElementChild, list, keyOf(list));
  // The buttons that turn the pages take room themselves.
  pager.hidden = true;
  pager.hidden = !isLong(list, keyOf(list));
  let pages = part();
  if (pager.hidden && pages.length > 1) {
    pager.hidden = false;
    pages = part();
  }
  pager.hidden = pages.length < 2;
  return pages;
}

function keyOf(list) {
  const { live, news } = document.body.dataset;
  const mute = screen.querySelector("[data-act=listen]")?.hidden;
  // A list that a script fills has other pages than it had before, and so has one of whose
  // sheets another is there.
  const there = [...list.children].map((one) => "absent" in one.dataset);
  return [current().screen, setting(), pager.hidden, live, news, mute, ...there].join();
}

export function onTap(event) {
  const target = event.target.closest(
    "[data-act],[data-go],[data-language]:not(html),[data-back],[data-turn]",
  );
  if (!target || target.disabled) return;
  const here = current();
  const { act, go: wanted, language, turn } = target.dataset;
  if (act) acting.get(act)?.(target, here);
  else if (turn) show({ page: here.page + Number(turn) });
  else if ("back" in target.dataset) show(stack.pop() ?? { screen: "home" });
  else if (wanted && wanted !== here.screen) {
    if (wanted === "home") stack = [];
    else if (here.screen !== "attract") stack = [...stack, { ...here }].slice(-STACK_MAX);
    show({ language: language ?? here.language, screen: wanted });
  } else if (language) {
    // The choice of languages lies over the screen that was there, and goes with the choice.
    const under = here.screen === "language" ? stack.pop() ?? { screen: "home" } : here;
    show({ ...under, language });
  }
}

// The question lies over everything: nothing beneath it can be reached meanwhile.
export function askStill(seconds, whole = seconds) {
  const opened = asking.hidden && seconds !== null;
  const closed = !asking.hidden && seconds === null;
  asking.hidden = seconds === null;
  for (const part of [screen, bar, pager]) part.inert = !asking.hidden;
  if (opened) {
    focused = document.activeElement;
    asking.querySelector("[data-stay]").focus({ preventScroll: true });
  }
  if (closed) {
    focused?.focus({ preventScroll: true });
    focused = null;
  }
  if (seconds === null) return;
  asking.querySelector("[data-countdown]").textContent = seconds;
  asking.querySelector("[data-ring]").style.strokeDashoffset = 1 - seconds / whole;
}

addEventListener("resize", () => current().language && turnPages());

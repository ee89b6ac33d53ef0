// Which screen is shown: fragments of all languages lie in memory, so a tap asks nobody.
import { acting, bundles, current, go, resetting, showing, words } from "./here.js";
import { paint } from "./live.js";
import { fill } from "./words.js";

const STACK_MAX = 50;

const templates = new Map();
const screen = document.querySelector("#screen");
const bar = document.querySelector("#bar");
const pager = document.querySelector("#pager");
const asking = document.querySelector("#asking");

let stack = [];

// A fresh person: nothing of the last one is left.
export function start(language) {
  stack = [];
  for (const forget of resetting) forget();
  show({ language, screen: "attract" });
}

export function show(wanted) {
  const here = current();
  const { language, screen: name, page } = { ...here, page: 0, ...wanted };
  const bundle = bundles[language];
  if (!bundle?.screens[name]) return;
  const fresh = language !== here.language || !bar.firstChild;
  const moved = name !== here.screen || fresh;
  go({ language, screen: name, page });
  if (fresh) {
    document.documentElement.lang = bundle.html_language;
    document.documentElement.dataset.language = language;
    bar.innerHTML = bundle.parts.bar;
    pager.innerHTML = bundle.parts.pager;
    asking.innerHTML = bundle.parts.asking;
  }
  if (moved || !screen.firstChild) screen.replaceChildren(fragment(language, name));
  document.body.dataset.screen = name.split("/")[0];
  bar.hidden = name === "attract";
  for (const button of bar.querySelectorAll("[data-go]")) {
    button.classList.toggle("here", button.dataset.go === name);
  }
  bar.querySelector("[data-back]").disabled = name === "home";
  if (moved) showing.get(document.body.dataset.screen)?.(screen, current());
  turnPages();
  paint(document.body);
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

// Pages, not scrolling: the style sheet says how many items a page of this size holds.
export function turnPages() {
  const here = current();
  pager.hidden = true;
  const list = screen.querySelector("[data-pages]");
  if (!list) return;
  const items = [...list.children];
  const perPage = Number(getComputedStyle(list).getPropertyValue("--per-page")) || items.length;
  const pages = Math.ceil(items.length / perPage);
  here.page = Math.min(Math.max(here.page, 0), pages - 1);
  items.forEach((item, index) => {
    item.hidden = Math.floor(index / perPage) !== here.page;
  });
  pager.hidden = pages < 2;
  pager.querySelector("[data-count]").textContent = `${here.page + 1}/${pages}`;
  pager.querySelector('[data-turn="-1"]').disabled = here.page === 0;
  pager.querySelector('[data-turn="1"]').disabled = here.page === pages - 1;
}

export function onTap(event) {
  const target = event.target.closest(
    "[data-act],[data-go],[data-language]:not(html),[data-back],[data-turn]",
  );
  if (!target || target.disabled) return;
  const here = current();
  const { act, go: wanted, language, turn } = target.dataset;
  if (act) acting.get(act)(target, here);
  else if (turn) show({ page: here.page + Number(turn) });
  else if ("back" in target.dataset) show(stack.pop() ?? { screen: "home" });
  else if (wanted && wanted !== here.screen) {
    if (wanted === "home") stack = [];
    else if (here.screen !== "attract") stack = [...stack, { ...here }].slice(-STACK_MAX);
    show({ language: language ?? here.language, screen: wanted });
  } else if (language) show({ language, page: here.page });
}

export function askStill(seconds) {
  asking.hidden = seconds === null;
  if (seconds === null) return;
  asking.querySelector("[data-countdown]").textContent = fill(words().backIn, seconds);
}

addEventListener("resize", () => current().language && turnPages());

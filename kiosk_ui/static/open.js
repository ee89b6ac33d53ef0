// Lists and entries say what is open, and lists begin with it.
import { onShow, words } from "./here.js";
import { openAt } from "./hours.js";
import { now } from "./live.js";
import { today } from "./stall.js";
import { fill } from "./words.js";

const RANK = { open: 0, maybe: 1, ask: 2, closed: 3 };

onShow("list", (screen) => {
  const cards = [...screen.querySelectorAll(".card")];
  const rank = new Map(cards.map((card) => [card, RANK[state(card)] ?? RANK.ask]));
  cards.sort((a, b) => rank.get(a) - rank.get(b)); // Nearest first among equals, as it came.
  cards[0]?.parentElement.append(...cards);
});
onShow("entry", (screen) => {
  for (const element of screen.querySelectorAll("[data-hours]")) state(element);
});

// Write into `[data-open]` how it stands; what nobody knows is "ask", never "open".
function state(element) {
  const { hours, sure, today: stall } = element.dataset;
  const place = element.querySelector("[data-open]");
  if (!place) return "ask";
  const found = hours ? openAt(hours, now()) : null;
  const [name, text] = stall ? told(today(stall)?.open, words()) : said(found, sure === "low", words());
  place.textContent = text;
  place.dataset.open = name;
  return name;
}

// A stall's keeper says it for today, or nobody knows; when it was said stands on its own card.
const told = (open, w) =>
  open ? [open, { open: w.stallOpen, closed: w.stallClosed }[open]] : ["ask", w.askHours];

function said(found, unsure, w) {
  if (!found) return ["ask", w.askHours];
  if (unsure) return [found.open ? "maybe" : "ask", w.hoursCheck];
  if (found.open) return ["open", found.until === null ? w.open : fill(w.openUntil, clock(found.until))];
  return ["closed", found.until === null ? w.closed : fill(w.opensAt, clock(found.until))];
}

const clock = (minute) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");

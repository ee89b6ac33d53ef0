// Today: sun, moon, the day's PM2.5 and rain, events that come, and only sensors that are there.
import { current, extras, onShow, words } from "./here.js";
import { TEXTS, TONES, best, derived, hasHeard, now, origin, paint, painters, reason, today } from "./live.js";
import { date, fill, join, number, shortDate, time } from "./words.js";

const PER_SHEET = 6;
const DAY_MS = 86_400_000;
const AHEAD_MS = 30 * DAY_MS; // Events are told so long before.
const EVENTS_MAX = 4;
const ZONE_MS = 7 * 3_600_000;

const sky = (name) => (now() === null ? null : today()?.[name]);
const pmDay = () => (now() === null ? null : today()?.pm2_5_day);

Object.assign(TEXTS, {
  "sun.rise": () => (sky("sun") ? time(sky("sun").rise_ms) : "–"),
  "sun.set": () => (sky("sun") ? time(sky("sun").set_ms) : "–"),
  "sky.missing": (w) => (hasHeard() && now() === null ? w.skyMissing : ""),
  "moon.phase": (w) => (sky("moon") ? extras().moon[sky("moon").phase] : "–"),
  "moon.lit": (w) => (sky("moon") ? fill(w.moonLit, sky("moon").lit_percent) : ""),
  "moon.next": () => {
    const next = sky("moon")?.next[0];
    if (!next) return "";
    return `${extras().moon[next.kind === "new" ? 0 : 4]} ${shortDate(next.at_ms, current().language)}`;
  },
  "pmday.title": (w) => (pmDay() ? w.pmDay : w.pmNow),
  "pmday.value": (w) => {
    const found = pmDay() ?? derived("pm2_5");
    return found ? number(found.value, pmDay() ? 1 : 0, found.unit, w) : "–";
  },
  "pmday.level": () => {
    const found = pmDay() ?? derived("pm2_5");
    return found ? extras().pm[found.band] : "";
  },
  "pmday.note": (w) => {
    const instant = derived("pm2_5");
    if (!pmDay()) return instant ? w.pmOnlyNow : "";
    const value = instant && `${w.now} ${number(instant.value, 0, instant.unit, w)}`;
    return join(value, fill(w.pmHours, pmDay().hours));
  },
  "pmday.source": (w) => {
    const day = pmDay();
    if (day) return join(day.simulated && w.simulated, fill(w.until, time(day.until_ms)), day.source);
    return origin(derived("pm2_5"), w) ?? reason(best("pm2_5"), w) ?? "";
  },
});
TONES.pmday = () => (pmDay() ?? derived("pm2_5"))?.band;

painters.push((root) => {
  for (const svg of root.querySelectorAll("[data-sun]")) drawSun(svg, sky("sun"));
  for (const svg of root.querySelectorAll("[data-moon]")) drawMoon(svg, sky("moon"));
});

onShow("today", (screen) => {
  // In larger type each panel is a page of its own.
  if (["a1", "a2"].includes(document.documentElement.dataset.text)) {
    const { matches: narrow } = matchMedia("(min-aspect-ratio:1/1),(max-width:999px)");
    if (narrow && now() !== null) chartApart(screen.querySelector(".tidepanel"));
    for (const pair of screen.querySelectorAll(".pair")) pair.replaceWith(...pair.children);
    for (const one of screen.querySelectorAll(".sheets [class*=shed]")) {
      one.classList.remove("shed1", "shed2", "shed3");
    }
  }
  sortQuantities(screen);
  listEvents(screen.querySelector(".coming"));
  paint(screen); // Before it is parted into pages: what it says takes room.
});

// The curve of the tide, beside which larger type leaves no room, has a page to itself.
function chartApart(panel) {
  const apart = panel.cloneNode();
  apart.classList.add("tidechart");
  apart.append(panel.querySelector("h2").cloneNode(true), ...panel.querySelectorAll(".chart,.hours"));
  panel.after(apart);
}

// What is measured stands together on as few sheets as it needs.
function sortQuantities(screen) {
  const sheets = [...screen.querySelectorAll(".here")];
  const items = sheets.flatMap((sheet) => [...sheet.querySelectorAll("li")]);
  const there = (item) => Boolean(best(item.dataset.quantity));
  const sorted = [...items.filter(there), ...items.filter((item) => !there(item))];
  const count = items.filter(there).length;
  sheets.forEach((sheet, number) => {
    sheet.querySelector("ul").append(...sorted.slice(number * PER_SHEET, (number + 1) * PER_SHEET));
    sheet.toggleAttribute("data-absent", number > 0 && count <= number * PER_SHEET);
    sheet.querySelector(".none").hidden = number > 0 || count > 0;
  });
}

// Days of the town that are near, by its own calendar.
function listEvents(sheet) {
  const nowMs = now();
  const day = (text, days = 0) => Date.parse(text) - ZONE_MS + days * DAY_MS;
  const near = (extras().events ?? []).filter(
    ({ from, to }) => nowMs !== null && day(to, 1) > nowMs && day(from) < nowMs + AHEAD_MS,
  );
  sheet.toggleAttribute("data-absent", near.length === 0);
  const rows = near.slice(0, EVENTS_MAX).map(({ id, name, from, to }) => {
    const button = document.createElement("button");
    button.className = "card";
    button.dataset.go = `entry/${id}`;
    button.innerHTML = "<span><b></b><small></small></span>";
    const span = button.firstChild;
    span.firstChild.textContent = name;
    const days = [from, ...(to === from ? [] : [to])].map((one) => date(day(one), current().language));
    span.lastChild.textContent = day(from) <= nowMs ? join(words().today, days.at(-1)) : days.join(" – ");
    return button;
  });
  sheet.querySelector(".days").replaceChildren(...rows);
}

// The sun on its way over the sky; at night it is not there.
function drawSun(svg, sun) {
  svg.parentElement.classList.toggle("empty", !sun);
  if (!sun) return;
  const share = (now() - sun.rise_ms) / (sun.set_ms - sun.rise_ms);
  const up = share >= 0 && share <= 1;
  const angle = Math.PI * (1 - Math.min(Math.max(share, 0), 1));
  const [x, y] = [150 + 130 * Math.cos(angle), 116 - 106 * Math.sin(angle)];
  for (const name of ["halo", "disc"]) {
    const circle = svg.querySelector(`.${name}`);
    circle.setAttribute("cx", x.toFixed(1));
    circle.setAttribute("cy", y.toFixed(1));
    circle.setAttribute("visibility", up ? "visible" : "hidden");
  }
  const done = share <= 0 ? "" : `M20 116A130 106 0 0 1 ${x.toFixed(1)} ${y.toFixed(1)}`;
  svg.querySelector(".done").setAttribute("d", done);
}

// The lit part lies between the edge of the disc and an ellipse, the edge of the shadow.
function drawMoon(svg, moon) {
  svg.parentElement.classList.toggle("empty", !moon);
  if (!moon) return;
  const lit = moon.lit_percent / 100;
  const across = Math.abs(1 - 2 * lit) * 50;
  const outer = moon.waxing ? 1 : 0; // The right side is lit first.
  const inner = lit > 0.5 ? outer : 1 - outer;
  const path = `M0-50A50 50 0 0 ${outer} 0 50A${across.toFixed(1)} 50 0 0 ${inner} 0-50Z`;
  svg.querySelector(".light").setAttribute("d", path);
}

// Live values: one event stream, one picture of the world, and honest ages.
import { renew } from "./beat.js";
import { current, extras, words } from "./here.js";
import { drawTide } from "./tide.js";
import { age, date, join, number, time } from "./words.js";

const OLD_S = 600; // From here on a value is grey,
const GONE_S = 3600; // and from here on it is not shown.
const SILENCE_MS = 12_000; // The service speaks every 5 s; after this it has stopped.
const PAINT_MS = 1_000;

const readings = new Map();
let message = null; // The last one, with clock, uplink and today.
let heardMs = 0;
let connected = false;

export function listen() {
  const source = new EventSource("/api/live");
  source.addEventListener("snapshot", (event) => {
    readings.clear();
    hear(event);
  });
  source.addEventListener("delta", hear);
  source.addEventListener("error", () => {
    connected = false;
    repaint();
    // The browser gives up after some answers; a kiosk never does.
    if (source.readyState === EventSource.CLOSED) {
      source.close();
      setTimeout(listen, PAINT_MS);
    }
  });
  clearInterval(listen.timer);
  listen.timer = setInterval(repaint, PAINT_MS);
}

function hear(event) {
  message = JSON.parse(event.data);
  heardMs = performance.now();
  connected = true;
  for (const reading of message.readings) {
    readings.set(reading.stream, { ...reading, heardMs });
  }
  renew(message.release);
  repaint();
}

// What is shown stays as it was laid out, until a text needs more room than it had.
let longer = false;

function repaint() {
  longer = false;
  paint(document.body);
  if (longer) dispatchEvent(new Event("resize"));
}

const since = (ms) => (performance.now() - ms) / 1000;
export const heard = () => message; // As the service said it last.
// The time that can be trusted, in ms since 1970; null where there is none.
export const now = () =>
  message?.clock.set ? message.clock.utc_ms + (performance.now() - heardMs) : null;

export function derived(name) {
  const value = message?.today[name];
  if (!value) return null;
  const ageS = value.age_s + since(heardMs);
  return ageS > GONE_S ? null : { ...value, ageS };
}

const freshness = (value) => (!value ? "gone" : value.ageS > OLD_S ? "old" : "");
export const origin = (value, w) =>
  value && join(value.simulated && w.simulated, age(value.ageS, w), value.source);

// Why there is no value, or why it is to be taken with care.
const REASONS = {
  warming_up: "warmingUp",
  stale: "oldValue",
  out_of_range: "outOfRange",
  saturated: "outOfRange",
  checksum: "damagedAnswer",
  uncalibrated: "uncalibrated",
  power_on_value: "sensorFault",
  wrong_chip: "sensorFault",
  absent: "sensorAbsent",
};
export const reason = (reading, w) =>
  reading && reading.quality !== "ok" ? w[REASONS[reading.quality] ?? "sensorSilent"] : null;

export const today = () => message?.today;
export const hasHeard = () => message !== null;

// What other modules paint with every new value, and the level behind each data-tone.
export const painters = [];
export const TONES = {
  heat: () => derived("heat_index")?.level,
  pm: () => derived("pm2_5")?.band,
};

// One line for each thing that a screen may ask for by data-live="…".
export const TEXTS = {
  time: () => (now() === null ? "--:--" : time(now())),
  date: (w) => (now() === null ? (message ? w.clockNotSet : "") : date(now(), current().language)),
  simulated: (w) => (["heat_index", "pm2_5"].some((name) => derived(name)?.simulated) ? w.simulated : ""),
  "tide.short": (w, t) => (t ? `${metres(t.height_m, w)} ${arrow(t)}` : "–"),
  "tide.next": (w, t) => (t ? turn(t.next[0], w) : message ? w.clockNotSet : w.noData),
  "tide.height": (w, t) => (t ? metres(t.height_m, w) : "–"),
  "tide.trend": (w, t) => (t ? `${arrow(t)} ${w[t.trend]}` : ""),
  "tide.high": (w, t) => turnTime(t, "high", w),
  "tide.low": (w, t) => turnTime(t, "low", w),
  "tide.missing": (w, t) => (message && !t ? w.tideMissing : ""),
  "heat.short": (w) => value("heat_index", 0, w),
  "heat.value": (w) => value("heat_index", 0, w),
  "heat.level": (w) => level("heat_index", "level", extras().heat),
  "heat.advice": (w) => level("heat_index", "level", extras().heatAdvice),
  "heat.note": (w) => note("heat_index", "level", extras().heat, w),
  "heat.source": (w) => origin(derived("heat_index"), w) ?? reason(best("air_temperature"), w) ?? "",
  "pm.short": (w) => value("pm2_5", 0, w),
  "pm.note": (w) => note("pm2_5", "band", extras().pm, w),
};

const metres = (m, w) => number(m, 1, "m", w);
const arrow = (t) => ({ rising: "↑", falling: "↓", slack: "→" })[t.trend];
const turn = (t, w) => (t ? `${w[t.kind]} ${metres(t.height_m, w)} ${time(t.at_ms)}` : "");

function turnTime(tide, kind, w) {
  const found = tide?.next.find((one) => one.kind === kind);
  return found ? `${metres(found.height_m, w)}  ${time(found.at_ms)}` : "–";
}

function value(name, decimals, w) {
  const found = derived(name);
  return found ? number(found.value, decimals, found.unit, w) : "–";
}

function level(name, key, labels) {
  const found = derived(name);
  return found ? labels[found[key]] : "";
}

function note(name, key, labels, w) {
  const found = derived(name);
  if (!found) return reason(best(name === "pm2_5" ? name : "air_temperature"), w) ?? w.noData;
  return join(labels[found[key]], found.simulated ? w.simulated : age(found.ageS, w));
}

export function paint(root) {
  if (!current().language) return;
  const w = words();
  // The tide is computed for a moment, so without the service it goes stale, too.
  const tide = message?.today.tide && since(heardMs) < GONE_S ? message.today.tide : null;
  for (const element of root.querySelectorAll("[data-live]")) {
    set(element, TEXTS[element.dataset.live](w, tide));
  }
  const heat = derived("heat_index");
  const pm = derived("pm2_5");
  for (const element of root.querySelectorAll("[data-age]")) {
    element.dataset.fresh = freshness(element.dataset.age === "heat" ? heat : pm);
  }
  for (const element of root.querySelectorAll("[data-tone]")) {
    element.dataset.level = TONES[element.dataset.tone]() ?? "";
  }
  for (const element of root.querySelectorAll("[data-quantity]")) quantity(element, w);
  const silent = !connected || since(heardMs) * 1000 > SILENCE_MS;
  const live = silent ? "no" : "yes";
  const changed = document.body.dataset.live !== live;
  document.body.dataset.live = live;
  for (const element of root.querySelectorAll("[data-stale]")) element.hidden = !silent;
  const stored = silent || !message || message.card === "ok";
  for (const element of root.querySelectorAll("[data-card]")) element.hidden = stored;
  for (const element of root.querySelectorAll("[data-curve]")) drawTide(element, tide, now());
  for (const draw of painters) draw(root);
  longer ||= changed; // What it says of it takes room, or gives it.
}

function set(element, text) {
  if (element.textContent === text) return;
  longer ||= element.textContent.length < text.length;
  element.textContent = text;
}

function quantity(element, w) {
  const found = best(element.dataset.quantity);
  element.hidden = !found;
  if (!found) return;
  element.dataset.fresh = freshness(found);
  const decimals = Number(element.dataset.decimals);
  const { also, day } = element.dataset;
  if (day) return sum(element, found, decimals, w);
  const known = found.value !== null;
  set(element.querySelector("b"), known ? number(found.value, decimals, found.unit, w) : "–");
  const source = found.stream.split("/")[0];
  set(
    element.querySelector("small"),
    join(
      also && beside(also, decimals, w),
      reason(found, w),
      known ? origin({ ...found, source }, w) : source,
    ),
  );
}

// A gust beside the wind.
function beside(name, decimals, w) {
  const found = best(name);
  return found && found.value !== null && `${w[name]} ${number(found.value, decimals, found.unit, w)}`;
}

// What fell since midnight, or since somebody measures it; without a clock nobody knows.
function sum(element, reading, decimals, w) {
  const found = now() === null ? null : derived(element.dataset.day);
  set(element.querySelector("b"), found ? number(found.value, decimals, found.unit, w) : "–");
  const since = found && !found.whole_day && w.sinceTime.replace("{n}", time(found.since_ms));
  const told = now() === null ? w.clockNotSet : origin(found, w);
  set(element.querySelector("small"), join(since, reason(reading, w), told));
}

// Measured before simulated, a value before none, then the newest.
export function best(name) {
  return [...readings.values()]
    .filter((one) => one.quantity === name)
    .map((one) => ({ ...one, ageS: one.age_s + since(one.heardMs) }))
    .filter((one) => one.ageS <= GONE_S)
    .sort(
      (a, b) =>
        (a.value === null) - (b.value === null) || a.simulated - b.simulated || a.ageS - b.ageS,
    )[0];
}

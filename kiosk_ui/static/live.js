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
    paint(document.body);
    // The browser gives up after some answers; a kiosk never does.
    if (source.readyState === EventSource.CLOSED) {
      source.close();
      setTimeout(listen, PAINT_MS);
    }
  });
  clearInterval(listen.timer);
  listen.timer = setInterval(() => paint(document.body), PAINT_MS);
}

function hear(event) {
  message = JSON.parse(event.data);
  heardMs = performance.now();
  connected = true;
  for (const reading of message.readings) {
    readings.set(reading.stream, { ...reading, heardMs });
  }
  renew(message.release);
  paint(document.body);
}

const since = (ms) => (performance.now() - ms) / 1000;
// The time that can be trusted, in ms since 1970; null where there is none.
export const now = () =>
  message?.clock.set ? message.clock.utc_ms + (performance.now() - heardMs) : null;

function derived(name) {
  const value = message?.today[name];
  if (!value) return null;
  const ageS = value.age_s + since(heardMs);
  return ageS > GONE_S ? null : { ...value, ageS };
}

const freshness = (value) => (!value ? "gone" : value.ageS > OLD_S ? "old" : "");
const origin = (value, w) =>
  value && join(value.simulated && w.simulated, age(value.ageS, w), value.source);

// One line for each thing that a screen may ask for by data-live="…".
const TEXTS = {
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
  "heat.source": (w) => origin(derived("heat_index"), w) ?? "",
  "pm.short": (w) => value("pm2_5", 0, w),
  "pm.value": (w) => value("pm2_5", 0, w),
  "pm.level": (w) => level("pm2_5", "band", extras().pm),
  "pm.note": (w) => note("pm2_5", "band", extras().pm, w),
  "pm.source": (w) => origin(derived("pm2_5"), w) ?? "",
  "sun.set": () => (message?.today.sun ? time(message.today.sun.set_ms) : "–"),
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
  if (!found) return w.noData;
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
    const found = element.dataset.tone === "heat" ? heat?.level : pm?.band;
    element.dataset.level = found ?? "";
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
  if (changed) dispatchEvent(new Event("resize")); // What it says of it takes room, or gives it.
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function quantity(element, w) {
  const found = best(element.dataset.quantity);
  element.hidden = !found;
  if (!found) return;
  element.dataset.fresh = freshness(found);
  const decimals = Number(element.dataset.decimals);
  const known = found.value !== null;
  set(element.querySelector("b"), known ? number(found.value, decimals, found.unit, w) : "–");
  const source = found.stream.split("/")[0];
  set(
    element.querySelector("small"),
    known ? origin({ ...found, source }, w) : join(source, w.sensorSilent),
  );
}

// Measured before simulated, a value before none, then the newest.
function best(name) {
  return [...readings.values()]
    .filter((one) => one.quantity === name)
    .map((one) => ({ ...one, ageS: one.age_s + since(one.heardMs) }))
    .filter((one) => one.ageS <= GONE_S)
    .sort(
      (a, b) =>
        (a.value === null) - (b.value === null) || a.simulated - b.simulated || a.ageS - b.ageS,
    )[0];
}

// Whether a place is open now: the few forms of OpenStreetMap's rules that the pack has.
const DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const ZONE_MS = 7 * 3_600_000; // Thailand has no summer time.
const DAY_MIN = 1440;
const RULE = /^(?:([A-Z][A-Za-z,-]*) )?(\d\d:\d\d-\d\d:\d\d(?:,\d\d:\d\d-\d\d:\d\d)*|off)$/;

// `{open, until}` with `until` in minutes of the day; null where nobody can say.
export function openAt(rules, ms) {
  if (!rules || ms === null) return null;
  if (rules === "24/7") return { open: true, until: null };
  const local = new Date(ms + ZONE_MS);
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const today = (local.getUTCDay() + 6) % 7;
  const week = DAYS.map(() => []);
  for (const rule of rules.split(/; */)) {
    const [, days, spans] = RULE.exec(rule) ?? [];
    const meant = spans && dayList(days);
    if (!meant) return null;
    const times = spans === "off" ? [] : spans.split(",").map((span) => span.split("-").map(minutes));
    for (const day of meant) week[day] = times;
  }
  for (const [from, to] of week[today]) {
    if (minute >= from && (minute < to || to <= from)) return { open: true, until: to % DAY_MIN };
  }
  for (const [from, to] of week[(today + 6) % 7]) {
    if (to <= from && minute < to) return { open: true, until: to };
  }
  return { open: false, until: week[today].find(([from]) => from > minute)?.[0] ?? null };
}

function dayList(text) {
  if (!text) return DAYS.map((_, day) => day);
  const found = [];
  for (const part of text.split(",")) {
    const [first, last = first] = part.split("-").map((day) => DAYS.indexOf(day));
    if (first < 0 || last < 0) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      found.push(day);
      if (day === last) break;
    }
  }
  return found;
}

const minutes = (clock) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

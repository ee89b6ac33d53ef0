// Numbers, units, times and ages as people read them.
const ZONE = "Asia/Bangkok";
const LOCALES = { th: "th-TH", en: "en-GB", zh: "zh-CN" };
const UNITS = { Cel: "°C", "ug/m3": "µg/m³", "1": "", "[ppm]": "ppm", "[pH]": "" };

export const fill = (text, n) => text.replace("{n}", n);

export function number(value, decimals, unit, words) {
  const shown = value.toFixed(decimals);
  const name =
    unit === "m" ? words.metre : /min/.test(unit) ? words.perMinute : UNITS[unit] ?? unit;
  return name === "%" ? `${shown}%` : name ? `${shown}\u00a0${name}` : shown;
}

export function age(seconds, words) {
  return seconds < 60 ? words.justNow : fill(words.minAgo, Math.floor(seconds / 60));
}

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DAY = { day: "numeric", month: "short" };
const FULL_DAY = { ...DAY, weekday: "short", year: "numeric" };
const formats = new Map(); // To make one takes longer than to paint a screen with it.

function written(ms, language, parts) {
  const key = language + Object.keys(parts);
  if (!formats.has(key)) {
    const locale = LOCALES[language] ?? language;
    formats.set(key, new Intl.DateTimeFormat(locale, { timeZone: ZONE, ...parts }));
  }
  return formats.get(key).format(ms);
}

export const time = (ms) => written(ms, "en", CLOCK);
// Thai years are of the Buddhist Era, which the browser knows by itself.
export const date = (ms, language) => written(ms, language, FULL_DAY);
export const shortDate = (ms, language) => written(ms, language, DAY);

export const join = (...parts) => parts.filter(Boolean).join(" · ");

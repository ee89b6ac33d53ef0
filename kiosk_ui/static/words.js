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

export const time = (ms) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit" }).format(ms);

// Thai years are of the Buddhist Era, which the browser knows by itself.
export const date = (ms, language) =>
  new Intl.DateTimeFormat(LOCALES[language] ?? language, {
    timeZone: ZONE,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
  }).format(ms);

export const shortDate = (ms, language) =>
  new Intl.DateTimeFormat(LOCALES[language] ?? language, {
    timeZone: ZONE,
    day: "numeric",
    month: "short",
  }).format(ms);

export const join = (...parts) => parts.filter(Boolean).join(" · ");

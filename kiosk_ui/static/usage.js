// Counts screens, not people: sums by language, screen and kind, sent when a person has gone
// and once an hour.
import { current, onEvery, onReset } from "./here.js";
import { ask } from "./post.js";

const HOUR_MS = 3_600_000;
const CELLS_MAX = 400;

let sums = new Map();

export function count(kind, times = 1, { language, screen } = current()) {
  add(JSON.stringify([language, screen, kind]), times);
}

function add(cell, times) {
  if (sums.has(cell) || sums.size < CELLS_MAX) sums.set(cell, (sums.get(cell) ?? 0) + times);
}

async function send() {
  const sent = sums;
  sums = new Map();
  const counts = [...sent].map(([cell, times]) => [...JSON.parse(cell), times]);
  const said = await ask("/api/usage", { counts });
  if (said?.status === 200 || said?.status === 400) return;
  for (const [cell, times] of sent) add(cell, times);
}

onEvery((section, here) => {
  if (here.screen === "attract") return;
  count("view");
  if (here.screen === "sos") count("sos");
  if (section.querySelector(".qr")) count("qr_shown");
});
onReset(() => {
  const { language, screen } = current();
  if (!language || screen === "attract") return;
  count("reset");
  send();
});
document.addEventListener(
  "click",
  () => document.querySelector("#asking").hidden || count("extend"),
  { capture: true },
);
setInterval(send, HOUR_MS);

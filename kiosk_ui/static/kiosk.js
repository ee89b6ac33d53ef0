// Start: fetch the bundles, show the first screen, and keep the browser's own habits away.
import { load } from "./here.js";
import { tryOut } from "./beat.js";
import { onTap, show, start } from "./router.js";
import { listen } from "./live.js";
import { watchIdle } from "./idle.js";
import { forget, guard } from "./guard.js";
import "./access.js";
import "./map.js";
import "./notice.js";
import "./today.js";
import "./open.js";
import "./search.js";
import "./stall.js";
import "./technician.js";
import "./tell.js";

const AGAIN_MS = 10_000;

const root = document.documentElement;
const bundles = Object.fromEntries(
  root.dataset.bundles.split(" ").map((pair) => pair.split("=")),
);

guard();
document.addEventListener("click", onTap);

// The first language comes first: a person may touch before the others are here.
const first = root.dataset.language;
await load(first, bundles[first]);
start(first);
listen();
watchIdle({
  idleS: Number(root.dataset.idle),
  warningS: Number(root.dataset.warning),
  reset: () => {
    start(first);
    forget();
  },
  turn: () => show({ language: next(), screen: "attract" }),
});
await Promise.all(
  root.dataset.languages
    .split(" ")
    .filter((language) => language !== first)
    .map((language) => load(language, bundles[language])),
);
// All faces now, not with the first word of their script: nothing is measured again later.
await Promise.allSettled([...document.fonts].map((face) => face.load()));
await tryOut();
showAsked();
root.dataset.ready = "";

keep();

// For a reload while the service is away; it may go in this very moment.
async function keep() {
  try {
    await navigator.serviceWorker?.register("/sw.js", { updateViaCache: "none" });
  } catch {
    setTimeout(keep, AGAIN_MS);
  }
}

// A screen by its address, "#en/list/see@1", for pictures and for technicians. Then it is forgotten.
function showAsked() {
  const [wanted, page] = location.hash.slice(1).split("@");
  if (!wanted) return;
  history.replaceState(null, "", location.pathname);
  const [language, ...path] = wanted.split("/");
  show({ language, screen: path.join("/"), page: Number(page ?? 0) });
}

function next() {
  const languages = root.dataset.languages.split(" ");
  return languages[(languages.indexOf(root.dataset.language) + 1) % languages.length];
}

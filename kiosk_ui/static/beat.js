// A sign of life for the service: which kind of screen is shown, whether the panel is still
// painted, and whether this release works. It also goes over to a new release.
import { bundles, current } from "./here.js";

const PERIOD_MS = 5_000;
const FRAME_MAX_MS = 2_000; // A panel that is painted at all paints sooner.
const SEND_MAX_MS = 4_000;
const RENEW_MAX_MS = 10_000;
const ENTRIES = 3;
const FAULT_MAX = 160;

const root = document.documentElement;
let errors = 0;
let fault = null; // Not tried yet.
let asked = "";

addEventListener("error", () => (errors += 1));
addEventListener("unhandledrejection", () => (errors += 1));
setInterval(beat, PERIOD_MS);
new MutationObserver(beat).observe(root, { attributeFilter: ["data-ready"] });

async function beat() {
  const body = JSON.stringify({
    view: current().screen.split("/")[0],
    release: root.dataset.release,
    frame_ms: await frame(),
    heap_kb: Math.round((performance.memory?.usedJSHeapSize ?? 0) / 1024),
    errors,
    checked: fault !== null,
    fault: fault ?? "",
  });
  await fetch("/api/beat", {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json" },
    signal: AbortSignal.timeout(SEND_MAX_MS),
  }).catch(() => {}); // The service is away: it has its own watchdog.
}

// How long the next frame takes; -1 when none comes.
function frame() {
  const begunMs = performance.now();
  return new Promise((done) => {
    setTimeout(() => done(-1), FRAME_MAX_MS);
    requestAnimationFrame(() => done(Math.round(performance.now() - begunMs)));
  });
}

// Try this release out of sight, before it is called ready.
export async function tryOut() {
  fault = (await trial()).slice(0, FAULT_MAX);
}

// Lay out the home screen and some entries of each language; what is wrong, or "".
// One at a time, so that a tap is answered in between.
async function trial() {
  const box = document.createElement("div");
  Object.assign(box.style, { position: "absolute", inset: "0", visibility: "hidden" });
  document.body.append(box);
  try {
    for (const [language, { screens }] of Object.entries(bundles)) {
      const names = Object.keys(screens).filter((name) => name.startsWith("entry/"));
      const step = Math.max(1, Math.floor(names.length / ENTRIES));
      for (const name of ["home", ...names.filter((_, i) => i % step === 0).slice(0, ENTRIES)]) {
        await new Promise((done) => setTimeout(done));
        box.innerHTML = screens[name] ?? "";
        if (!box.textContent.trim() || !box.offsetHeight) return `${language}/${name} is empty`;
      }
    }
    return errors ? `${errors} errors in a script` : "";
  } catch (error) {
    return String(error);
  } finally {
    box.remove();
  }
}

// A new release is fetched when the service says so, and shown when nobody is reading.
export async function renew(release) {
  if (release === root.dataset.release || current().screen !== "attract") return;
  if (asked === release) return;
  asked = release;
  const workers = navigator.serviceWorker;
  const registration = await workers?.getRegistration();
  await registration?.update().catch(() => {});
  if (registration?.installing || registration?.waiting) {
    await new Promise((done) => {
      workers.addEventListener("controllerchange", done, { once: true });
      setTimeout(done, RENEW_MAX_MS);
    });
  }
  asked = "";
  if (current().screen === "attract") location.reload();
}

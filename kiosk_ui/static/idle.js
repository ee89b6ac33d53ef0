// Nobody there? Ask first, wait, and then leave nothing of the person behind.
import { current } from "./here.js";
import { sayStill } from "./listen.js";
import { askStill } from "./router.js";

const TURN_MS = 12_000; // So long the first screen speaks one language.
const SLOW = 3; // Whoever listens, reads large letters or asks for it has three times as long.
// Typing and looking about take longer than reading; a technician is at work.
const PATIENCE = { search: 1.5, tell: 1.5, map: 1.5, stall: 1.5, vendor: 1.5, technician: 5 };

export function patience() {
  const { listen, slow, text } = document.documentElement.dataset;
  const family = PATIENCE[current().screen.split("/")[0]] ?? 1;
  return listen || slow || text === "a2" ? Math.max(SLOW, family) : family;
}

export function watchIdle({ idleS, warningS, reset, turn }) {
  let lastMs = performance.now();
  let leftS = null;

  const touched = (event) => {
    lastMs = performance.now();
    if (leftS === null) return;
    leftS = null;
    askStill(null);
    // The touch that says "yes" is not also a touch on what lies beneath.
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", touched, { capture: true });
  document.addEventListener("keydown", touched, { capture: true });
  document.addEventListener("pointerdown", () => (lastMs = performance.now()), { capture: true });

  setInterval(() => {
    const quietMs = performance.now() - lastMs;
    if (current().screen === "attract") {
      if (quietMs > TURN_MS) {
        lastMs = performance.now();
        turn();
      }
      return;
    }
    if (leftS === null) {
      if (quietMs < idleS * patience() * 1000) return;
      leftS = warningS;
      askStill(leftS, warningS);
      return sayStill(leftS); // Last: at the keys, the button that has the focus now speaks, too.
    }
    leftS -= 1;
    if (leftS > 0) return askStill(leftS, warningS);
    leftS = null;
    lastMs = performance.now();
    askStill(null);
    reset();
  }, 1_000);
}

// Nobody there? Ask first, wait, and then leave nothing of the person behind.
import { current } from "./here.js";
import { askStill } from "./router.js";

const TURN_MS = 12_000; // So long the first screen speaks one language.

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
      if (quietMs < idleS * 1000) return;
      leftS = warningS;
    } else leftS -= 1;
    if (leftS > 0) return askStill(leftS);
    leftS = null;
    lastMs = performance.now();
    askStill(null);
    reset();
  }, 1_000);
}

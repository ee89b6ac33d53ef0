// The browser's own habits stay away, and nothing leads off the page.
const KEYS = /^(F\d+|PrintScreen|ContextMenu|Browser.*|Launch.*|Help|Print|Find|ZoomIn|ZoomOut|Escape)$/;
const GESTURES = ["contextmenu", "dragstart", "drop", "selectstart", "gesturestart", "auxclick"];
const CLIPBOARD = ["copy", "cut", "paste"];

const refuse = (event) => event.preventDefault();

export function guard() {
  for (const name of [...GESTURES, ...CLIPBOARD]) {
    addEventListener(name, refuse, { capture: true });
  }
  for (const name of ["wheel", "touchmove"]) {
    addEventListener(name, refuse, { capture: true, passive: false });
  }
  addEventListener("keydown", onKey, { capture: true });
  window.open = () => null;
  window.print = () => undefined;
}

// Tab, Enter, the space bar, arrows and letters are a person's; chords are the browser's.
function onKey(event) {
  const chord = event.ctrlKey || event.altKey || event.metaKey;
  if (!chord && !KEYS.test(event.key)) return;
  event.preventDefault();
  if (event.key !== "Help") event.stopPropagation(); // A button of ours, see access.js.
}

// What a person may have left outside the page's own memory.
export async function forget() {
  sessionStorage.clear();
  localStorage.clear();
  getSelection()?.removeAllRanges();
  document.activeElement?.blur();
  scrollTo(0, 0);
  history.replaceState(null, "", location.pathname);
  try {
    await navigator.clipboard?.writeText("");
  } catch {
    // Without leave to write there, nothing of ours can be there either: copying is refused.
  }
}

// Notices of the city: the most urgent of those that hold now stands on the first screens.
import { current, extras, onAction, onShow } from "./here.js";
import { now, painters } from "./live.js";
import { show } from "./router.js";

// Without a clock nobody knows whether one with days is over.
function valid() {
  const ms = now();
  const holds = ([, from, until]) =>
    ms === null ? from === null && until === null : ms >= (from ?? ms) && ms < (until ?? Infinity);
  return extras().notices.filter(holds).map(([id]) => id);
}

const others = () => {
  const here = current().screen.slice("notice/".length);
  const all = valid();
  const at = all.indexOf(here) + 1;
  return [...all.slice(at), ...all.slice(0, at)].filter((id) => id !== here);
};

function paint(root) {
  const [first = "", ...more] = valid();
  for (const line of root.querySelectorAll("[data-notice]")) {
    line.toggleAttribute("data-absent", line.dataset.notice !== first);
    line.querySelector("i").textContent = more.length ? `+${more.length}` : "";
  }
  const told = first && `${first}+${more.length}`;
  const { dataset } = document.body;
  if ((dataset.news ?? "") === told) return;
  if (told) dataset.news = told;
  else delete dataset.news;
  dispatchEvent(new Event("resize")); // A line more or less leaves other room for the rest.
}
painters.push(paint);

onShow("notice", (screen) => {
  screen.querySelector("[data-act=next-notice]").hidden = !others().length;
});
onAction("next-notice", () => {
  const [next] = others();
  if (next) show({ screen: `notice/${next}` });
});

// A pad for PINs. Its digits change their places, so that a finger's way tells nothing; what it
// opens lasts five minutes, or until the person has gone.
import { onAction, onReset, onShow, words } from "./here.js";
import { ask } from "./post.js";
import { show } from "./router.js";
import { fill } from "./words.js";

const DIGITS = 6;

let wanted = null; // { door, then }
let typed = "";
let session = null;

const one = (name) => document.querySelector(`.pinpad ${name}`);

export const tokenOf = (door) => (session?.door === door ? session.token : undefined);

export function askPin(door, then) {
  wanted = { door, then };
  if (tokenOf(door)) then();
  else show({ screen: "pin" });
}

export function endSession() {
  session = null;
}

onShow("pin", () => {
  typed = "";
  const [kind, number] = wanted?.door.split("/") ?? ["technician"];
  const w = words();
  one("[data-whose]").textContent = kind === "stall" ? fill(w.pinStall, number) : w.pinTechnician;
  shuffle();
});

function shuffle() {
  const digits = [..."0123456789"];
  const chances = crypto.getRandomValues(new Uint32Array(digits.length));
  for (const button of document.querySelectorAll("[data-act=digit]")) {
    button.textContent = digits.splice(chances[digits.length - 1] % digits.length, 1)[0];
  }
  dots();
}

const dots = () => {
  one("[data-dots]").textContent = "●".repeat(typed.length) + "○".repeat(DIGITS - typed.length);
};

onAction("digit", (button) => {
  if (typed.length >= DIGITS) return;
  typed += button.textContent;
  one("[data-said]").textContent = "";
  dots();
  if (typed.length === DIGITS) enter();
});
onAction("undigit", () => {
  typed = typed.slice(0, -1);
  dots();
});

async function enter() {
  const { door, then } = wanted ?? {};
  const said = await ask("/api/pin", { door, pin: typed });
  typed = "";
  if (!wanted || wanted.door !== door || !one(".pad")) return; // The person has gone.
  if (said?.status === 200) {
    session = { door, token: said.token };
    return then();
  }
  one("[data-said]").textContent = complaint(said ?? {});
  shuffle();
}

function complaint({ status, wait_s: waitS, tries_left: left }) {
  const w = words();
  if (waitS) return fill(w.pinShut, Math.ceil(waitS / 60));
  if (status === 403 && left !== undefined) return fill(w.pinWrong, left);
  return status === 400 ? w.pinNone : w.pinAway;
}

onReset(() => {
  wanted = null;
  typed = "";
  session = null;
});

// The page's script is put together from parts (SCRIPTS in page.py) into the body of one function, which Gradio calls
// with: element, trigger, props, server, upload, watch. This part: the turns and what they are asked with.
// Views come from Python whole (see View in page.py), so one that was skipped does no harm.
"use strict";

element.innerHTML = props.shell;
const root = element.querySelector(".mureum");
const $ = (selector, within = root) => within.querySelector(selector);
const $$ = (selector, within = root) => [...within.querySelectorAll(selector)];
const box = $("textarea.question-box");
const scroller = $(".scroll");
const wide = window.matchMedia("(min-width: 960px)");
const printing = window.matchMedia("print");
const FINAL = new Set(["answered", "quoted", "not_found", "failed", "stopped", "refused"]);
const HANGUL = /[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]/;

const turns = new Map(); // ask → { number, ask, question, collection, phase, node, evidence, seen, verdict }
let running = null; // the turn that is being answered
let active = null; // the turn whose evidence the panel shows
let conversation = randomId(); // the kept conversation that turns go to
let opener = null; // what the source was opened from: focus goes back there

// --- the server

// Who this browser is to the server: unguessable, so that nobody else sees its conversations and documents.
const visitor = recall(localStorage, "mureum.visitor") || randomId();
remember(localStorage, "mureum.visitor", visitor);

function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What the server says to a request; throws an Error whose `markup` is what to show.
async function call(name, data = {}) {
  let reply;
  try {
    reply = await fetch(`mureum/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-mureum-visitor": visitor },
      body: JSON.stringify(data),
    });
  } catch (error) {
    throw failure("");
  }
  return answered(reply.status, await reply.json().catch(() => ({})));
}

function answered(status, said) {
  if (status === 401) window.location.reload(); // the sign-in is over
  if (status >= 400) throw failure(said.error);
  return said;
}

function failure(markup) {
  return Object.assign(new Error("refused"), { markup: markup || template("lost_words") });
}

// --- language

function language() {
  return document.documentElement.lang === "ko" ? "ko" : "en";
}

function localise(within) {
  const now = language();
  const each = (attribute, apply) => {
    for (const node of $$(`[data-${attribute}-${now}]`, within)) apply(node, node.getAttribute(`data-${attribute}-${now}`));
  };
  each("aria", (node, text) => node.setAttribute("aria-label", text));
  each("placeholder", (node, text) => { node.placeholder = text; });
  for (const node of $$("time[datetime]", within)) node.textContent = when(node.dateTime);
}

function when(iso) {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return "";
  const today = time.toDateString() === new Date().toDateString();
  const form = today ? { hour: "numeric", minute: "2-digit" } : { year: "numeric", month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(language(), form).format(time);
}

function speak(chosen, keep) {
  document.documentElement.lang = chosen;
  if (keep) remember(localStorage, "mureum.language", chosen);
  for (const button of $$("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  localise(root);
}

function remember(store, key, value) {
  try { store.setItem(key, value); } catch (error) { /* storage is off: nothing is kept */ }
}

function recall(store, key) {
  try { return store.getItem(key); } catch (error) { return null; }
}

function firstLanguage() {
  const kept = recall(localStorage, "mureum.language");
  if (kept === "ko" || kept === "en") return kept;
  return String(navigator.language || "en").toLowerCase().startsWith("ko") ? "ko" : "en";
}

// --- drawing

function template(name) {
  return $(`template[data-name="${name}"]`).innerHTML;
}

function draw(node, markup) {
  if (node.drawn === markup) return;
  node.drawn = markup;
  node.innerHTML = markup;
  localise(node);
}

function hint(markup) {
  draw($(".hint"), markup);
}

// A wide window follows the end of the answer; in a narrow one, where the evidence comes below it, the question goes to
// the top and stays there.
function atBottom() {
  return wide.matches && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
}

function toBottom() {
  scroller.scrollTop = scroller.scrollHeight;
}

function toTop(node) {
  root.style.setProperty("--view", `${scroller.clientHeight}px`);
  scroller.scrollTop += node.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

// The evidence lies in the panel; in a narrow window and on paper below its answer.
function place() {
  const beside = wide.matches && !printing.matches;
  for (const turn of turns.values()) (beside ? $(".evidences") : $(".slot", turn.node)).append(turn.evidence);
  if (!wide.matches) root.classList.toggle("reading", !$(".source").hidden);
}

function activate(turn) {
  active = turn;
  peekedFrom = null;
  for (const other of turns.values()) {
    other.evidence.classList.toggle("active", other === turn);
    other.node.classList.toggle("active", other === turn);
  }
  root.classList.toggle("many", turns.size > 1);
  $(".side .empty").hidden = Boolean(turn);
}

function show(turn, view) {
  const follow = atBottom();
  turn.phase = view.phase;
  turn.node.dataset.phase = view.phase;
  draw($(".status", turn.node), view.status);
  if (view.body || FINAL.has(view.phase)) draw($(".body", turn.node), view.body);
  $(".body", turn.node).lang = view.lang;
  turn.node.setAttribute("aria-busy", String(!FINAL.has(view.phase)));
  if (view.evidence) draw(turn.evidence, view.evidence);
  judgeable(turn);
  if (FINAL.has(view.phase)) settle(turn);
  if (follow) toBottom();
}

function settle(turn) {
  if (running === turn) running = null;
  draw($(".clock", turn.node), "");
  remember(sessionStorage, "mureum.draft", box.value);
  controls();
}

function controls() {
  root.classList.toggle("running", Boolean(running));
  root.classList.toggle("started", turns.size > 0);
  $(".retry").disabled = Boolean(running) || turns.size === 0;
}

// --- asking

// A turn on the page, with nothing but its question.
function add(question, collection, documents) {
  const turn = { number: -1, question, collection, documents, ask: randomId(), seen: false };
  turn.node = document.createElement("div");
  turn.node.innerHTML = template("turn");
  turn.node = turn.node.firstElementChild;
  turn.evidence = document.createElement("div");
  turn.evidence.className = "evidence";
  const said = $(".question", turn.node);
  said.textContent = question;
  said.classList.toggle("long", question.length > 300);
  said.lang = HANGUL.test(question) ? "ko" : "en";
  $(".limited", turn.node).hidden = !documents.length;
  $(".limited-to", turn.node).textContent = documents.join(", ");
  $(".turns").append(turn.node);
  turns.set(turn.ask, turn);
  place();
  localise(turn.node);
  return turn;
}

function ask(question, replaced = null) {
  if (replaced) forget(replaced);
  const turn = add(question, collection(), chosenDocuments());
  running = turn;
  turn.begun = performance.now();
  hint("");
  closeSource(false);
  activate(turn);
  show(turn, { phase: "searching", status: template("searching"), body: "", evidence: template("evidence"), lang: $(".question", turn.node).lang });
  controls();
  if (wide.matches) toBottom(); else toTop(turn.node);
  remember(sessionStorage, "mureum.draft", box.value || question); // until it is settled, a reload gives it back
  remember(sessionStorage, "mureum.conversation", conversation);
  trigger("ask", { ask: turn.ask, question, conversation, replaced: replaced ? replaced.number : -1, collection: turn.collection, documents: turn.documents, visitor });
}

function forget(turn) {
  turns.delete(turn.ask);
  turn.node.remove();
  turn.evidence.remove();
  if (active === turn) activate([...turns.values()].at(-1) || null);
}

function send() {
  const question = box.value;
  if (running) return hint(template("busy"));
  if (!question.trim()) return hint(template("empty"));
  write("");
  box.focus();
  ask(question);
}

function stop() {
  if (!running) return;
  trigger("stop", { ask: running.ask });
  const turn = running;
  show(turn, { phase: "stopped", status: template("stopped"), body: $(".body", turn.node).drawn || "", evidence: "", lang: $(".body", turn.node).lang });
  box.focus();
}

function retry() {
  const last = [...turns.values()].at(-1);
  if (last && !running) ask(last.question, last);
  box.focus();
}

function receive(view) {
  const turn = view && turns.get(view.ask);
  if (!turn && view && FINAL.has(view.phase)) listConversations(); // of a conversation that has been left
  if (!turn) return;
  turn.seen = true;
  turn.missed = 0;
  if (FINAL.has(view.phase)) turn.number = view.number;
  if (FINAL.has(turn.phase) && !turn.lost) return listConversations(); // stopped here already
  if (turn.lost) found(turn);
  if (view.phase !== "refused") {
    show(turn, view);
    if (FINAL.has(view.phase)) listConversations();
    if (view.notice) hint(view.notice);
    return;
  }
  settle(turn);
  forget(turn);
  controls();
  if (!box.value) write(turn.question);
  hint(view.body);
  listDocuments(); // what it was limited to may be gone
}

// A turn that was given up goes on after all.
function found(turn) {
  turn.lost = false;
  if (box.value === turn.question) write("");
  running = running || turn;
  controls();
}

function lost(turn) {
  turn.lost = true;
  show(turn, { phase: "failed", status: template("failed"), body: template("lost"), evidence: "", lang: language() });
  if (!box.value) write(turn.question);
}

// How long the answer has taken so far.
function tick() {
  if (!running) return;
  const seconds = Math.round((performance.now() - running.begun) / 1000);
  if (seconds > 2) draw($(".clock", running.node), template("elapsed").replaceAll("{count}", seconds));
}

let watching = false;

// A server that is gone, or that was started anew in between, will never finish this turn: notice that. One that is
// busy, as with its first question, may take its time to say that it is there.
async function watchOver() {
  const turn = running;
  if (!turn || watching) return;
  watching = true;
  let alive = false;
  try {
    alive = (await Promise.race([call("alive", { ask: turn.ask }), new Promise((_, no) => setTimeout(no, 30000))])).alive || !turn.seen;
  } catch (error) { /* not reached */ }
  watching = false;
  turn.missed = alive ? 0 : (turn.missed || 0) + 1;
  if (turn.missed >= 2 && running === turn) lost(turn);
}

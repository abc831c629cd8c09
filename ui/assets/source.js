// --- evidence and source

function turnOf(node) {
  return [...turns.values()].find((turn) => turn.node.contains(node) || turn.evidence.contains(node));
}

function cardOf(mark) {
  const turn = turnOf(mark);
  return turn && $(`.card[data-marker="${mark.dataset.marker}"]`, turn.evidence);
}

let reading = null; // the card whose sentence the source shows

function openCard(card, from) {
  const turn = turnOf(card);
  reading = card;
  const { document: name, start, end } = card.dataset;
  const others = $$(".card[data-marker]", turn.evidence)
    .filter((other) => other.dataset.document === name)
    .map((other) => [Number(other.dataset.start), Number(other.dataset.end)]);
  activate(turn);
  showPlace();
  const quote = $(".sentence", card).textContent; // if the document has another text there by now, that is said
  return openSource({ document: name, start: Number(start), end: Number(end), others, quote, collection: turn.collection }, from);
}

// Where the sentence stands, and which one it is of those that are shown with it.
function showPlace() {
  const cards = reading ? [...reading.parentElement.children] : [];
  draw($(".source-place"), reading ? $(".place", reading).innerHTML : "");
  $(".steps").hidden = cards.length < 2;
  $(".step-at").textContent = `${cards.indexOf(reading) + 1} / ${cards.length}`;
}

function step(by, from) {
  const cards = [...reading.parentElement.children];
  openCard(cards[(cards.indexOf(reading) + by + cards.length) % cards.length], from);
}

let sourcesAsked = 0; // of two that were asked for quickly, the later one is shown

async function openSource(wanted, from) {
  const asked = ++sourcesAsked;
  const stays = from.closest(".steps");
  if (!stays) opener = from;
  $(".source-name").textContent = wanted.document;
  draw($(".source-text"), template("opening"));
  $(".source").hidden = false;
  root.classList.add("reading");
  if (!stays) $(".source").focus({ preventScroll: true });
  let markup;
  try {
    markup = (await call("source", wanted)).html;
  } catch (error) {
    markup = template("lost");
  }
  if (asked !== sourcesAsked) return;
  draw($(".source-text"), markup);
  $(".source-text").scrollTop = 0;
  const chosen = $("mark.chosen");
  if (chosen && !$(".kept", $(".source-text"))) chosen.scrollIntoView({ block: "center" });
}

function closeSource(refocus = true) {
  if ($(".source").hidden) return;
  $(".source").hidden = true;
  root.classList.remove("reading");
  if (refocus && opener && opener.isConnected) opener.focus();
  opener = null;
}

function light(node, on) {
  const mark = node.closest?.(".mark, .card[data-marker]");
  const turn = mark && turnOf(mark);
  if (!turn) return;
  for (const twin of [...$$(`[data-marker="${mark.dataset.marker}"]`, turn.node), ...$$(`[data-marker="${mark.dataset.marker}"]`, turn.evidence)])
    twin.classList.toggle("lit", on);
  if (!wide.matches || !mark.matches(".mark")) return;
  peek(on ? turn : null);
  if (on) cardOf(mark)?.scrollIntoView({ block: "nearest" });
}

let peekedFrom = null; // the turn whose evidence the panel showed before

// While a mark of another turn is pointed at, the panel shows the evidence of that turn.
function peek(turn) {
  const shown = active;
  if (turn && turn !== shown) {
    activate(turn);
    peekedFrom = shown;
  } else if (!turn && peekedFrom && turns.has(peekedFrom.ask)) {
    activate(peekedFrom);
  }
}

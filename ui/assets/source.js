// --- evidence and source

function turnOf(node) {
  return [...turns.values()].find((turn) => turn.node.contains(node) || turn.evidence.contains(node));
}

function cardOf(mark) {
  const turn = turnOf(mark);
  return turn && $(`.card[data-marker="${mark.dataset.marker}"]`, turn.evidence);
}

function openCard(card, from) {
  const turn = turnOf(card);
  const { document: name, start, end } = card.dataset;
  const others = $$(".card[data-marker]", turn.evidence)
    .filter((other) => other.dataset.document === name)
    .map((other) => [Number(other.dataset.start), Number(other.dataset.end)]);
  activate(turn);
  const quote = $(".sentence", card).textContent; // if the document has another text there by now, that is said
  return openSource({ document: name, start: Number(start), end: Number(end), others, quote, collection: turn.collection }, from);
}

let sourcesAsked = 0; // of two that were asked for quickly, the later one is shown

async function openSource(wanted, from) {
  const asked = ++sourcesAsked;
  if (!$(".source").hidden) opener = opener || from; else opener = from;
  $(".source-name").textContent = wanted.document;
  draw($(".source-text"), template("opening"));
  $(".source").hidden = false;
  root.classList.add("reading");
  $(".source").focus({ preventScroll: true });
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
}

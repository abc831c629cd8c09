// --- what the person says of an answer

const JUDGED = new Set(["answered", "quoted", "not_found"]);

function judgeable(turn) {
  turn.node.classList.toggle("judgeable", turn.number >= 0 && JUDGED.has(turn.phase));
  for (const button of $$("[data-verdict]", turn.node)) button.setAttribute("aria-pressed", String(button.dataset.verdict === turn.verdict));
  $(".comment", turn.node).hidden = !turn.verdict;
  if (turn.comment) $(".comment input", turn.node).value = turn.comment;
}

async function judge(turn, verdict) {
  const comment = $(".comment input", turn.node).value;
  const said = $(".feedback-said", turn.node);
  try {
    await call("feedback", { conversation, number: turn.number, verdict, comment });
    Object.assign(turn, { verdict, comment });
    draw(said, template("feedback_saved"));
  } catch (error) {
    draw(said, error.markup);
  }
  judgeable(turn);
}

$(".turns").addEventListener("click", (event) => {
  const button = event.target.closest("[data-verdict]");
  if (button) judge(turnOf(button), button.dataset.verdict);
});
$(".turns").addEventListener("submit", (event) => {
  event.preventDefault();
  judge(turnOf(event.target), turnOf(event.target).verdict);
});

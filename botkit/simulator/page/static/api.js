/** The server: what it knows, what one may do, and the stream of what happens. */

const STOPPED = "botkit dev does not answer. Start it again with `make run`; nothing is lost.";
const [FIRST_WAIT, LONGEST_WAIT] = [500, 8000];

/** What an address of this server holds. Throws Error with a sentence. */
export async function get(path) {
  return answerOf(fetch(path, { headers: { accept: "application/json" } }));
}

/** Do something: `verb` and its body are those of POST /sim/do/… Throws Error with a sentence that tells the cure. */
export async function act(verb, body) {
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return answerOf(fetch(`/sim/do/${verb}`, options));
}

async function answerOf(request) {
  const response = await request.catch(() => {
    throw new Error(STOPPED);
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `botkit dev answered ${response.status}`);
  return answer;
}

/**
 * Follow what happens. `onNotice` gets each notice; `onState` gets true once the stream is open and false once it is
 * lost. A lost stream is opened again, waiting longer each time (half a second to eight).
 */
export function openStream(onNotice, onState) {
  let wait = FIRST_WAIT;
  const open = () => {
    const source = new EventSource("/sim/stream");
    source.onopen = () => {
      wait = FIRST_WAIT;
      onState(true);
    };
    source.onmessage = (event) => onNotice(JSON.parse(event.data));
    source.onerror = () => {
      source.close();
      onState(false);
      setTimeout(open, wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
  };
  open();
}

// Requests to the server. The `kind` of an error: "gone" (no answer: ask again), "expired" (this
// address is no longer served), "outside" (the file was changed), "refused" (the server refuses).

const PATIENCE = 10000;

const failure = (kind, message, number) => Object.assign(new Error(message), { kind, number });

// `patience`: ms until an answer is given up; 0 waits. What is sent arrives even when the page is left.
export async function ask(path, body, patience = PATIENCE) {
  const options = { cache: "no-store" };
  if (patience) options.signal = AbortSignal.timeout(patience);
  if (body !== undefined) Object.assign(options, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), keepalive: true });
  let answer, value;
  try {
    answer = await fetch(path, options);
    if (answer.status !== 403) value = await answer.json();
  } catch { throw failure("gone", "the server does not answer"); }
  if (answer.status === 403) throw failure("expired", "this address is no longer valid");
  if (!answer.ok) throw failure(value.kind ?? "refused", value.error, value.number);
  return value;
}

// Asks the service for one thing; null where it does not answer.
const ANSWER_MAX_MS = 8_000;

export async function ask(path, body, token) {
  const headers = body ? { "Content-Type": "application/json" } : { Authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(path, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers,
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
    });
    return { status: answer.status, ...(await answer.json()) };
  } catch {
    return null;
  }
}

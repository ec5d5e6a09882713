// Starts the dashboard: says whose key is signed in.
const shown = document.createElement("main");
const answer = await fetch("/api/v1/links?limit=1");
shown.textContent = answer.ok ? "Signed in." : `${answer.status} ${answer.statusText}`;
document.body.append(shown);

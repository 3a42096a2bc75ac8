// Passkeys (WebAuthn): shows the forms that need one where the browser knows them, and puts what the authenticator
// answers into the form. Without this the forms stay hidden, and everything else works.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function create(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  publicKey.user = { ...options.user, id: bytes(options.user.id) };
  publicKey.excludeCredentials = named(options.excludeCredentials);
  const { response, ...made } = plain(await navigator.credentials.create({ publicKey }));
  return { ...made, response: { ...client(response), attestationObject: text(response.attestationObject) } };
}

async function get(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  publicKey.allowCredentials = named(options.allowCredentials);
  const { response, ...shown } = plain(await navigator.credentials.get({ publicKey }));
  const signed = {
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle ? text(response.userHandle) : null,
  };
  return { ...shown, response: { ...client(response), ...signed } };
}

const plain = (credential) => ({
  id: credential.id, rawId: text(credential.rawId), type: credential.type, response: credential.response,
});
const client = (response) => ({ clientDataJSON: text(response.clientDataJSON) });

async function answer(form) {
  if (form.dataset.passkey === "create") return create(JSON.parse(form.dataset.options));
  const asked = await fetch(form.dataset.ask, { cache: "no-store" });
  if (!asked.ok) throw new Error(String(asked.status));
  return get(await asked.json());
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const failed = form.querySelector("[data-failed]");
  const button = form.querySelector("button[type=submit]");
  failed.hidden = true;
  button.disabled = true;
  try {
    form.elements.credential.value = JSON.stringify(await answer(form));
    form.submit();
  } catch {
    // The member said no, took too long, or has none for this site: browsers do not tell which.
    failed.hidden = false;
    button.disabled = false;
  }
}

const known = "PublicKeyCredential" in window;
for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !known;
  if (form.dataset.passkey !== "ask") form.addEventListener("submit", send);
}
for (const note of document.querySelectorAll("[data-passkey-lacking]")) note.hidden = known;

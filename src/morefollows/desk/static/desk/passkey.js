// Passkeys: forms with data-passkey="get" or "create" carry the options, and send the answer on.
"use strict";

const bytes = (text) => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function optionsOf(form) {
  const options = JSON.parse(form.dataset.options);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const name of ["allowCredentials", "excludeCredentials"]) {
    for (const known of options[name] || []) known.id = bytes(known.id);
  }
  return options;
}

function plain(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature",
    "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return {
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function ask(form, more) {
  const options = { publicKey: optionsOf(form), ...more };
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create(options) : await navigator.credentials.get(options);
  form.elements.answer.value = JSON.stringify(plain(credential));
  form.submit();
}

const forms = document.querySelectorAll("form[data-passkey]");
if (window.PublicKeyCredential) {
  let waiting = null;
  forms.forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = document.getElementById("id_own_name");
      if (name && form.elements.own_name) {
        if (!name.reportValidity()) return;
        form.elements.own_name.value = name.value;
      }
      if (waiting) waiting.abort();
      ask(form).catch(() => {
        const failed = form.querySelector("[data-failed]");
        if (failed) failed.hidden = false;
      });
    });
  });
  // The browser offers a passkey in the address field, beside saved passwords.
  const quiet = document.querySelector("form[data-passkey][data-autofill]");
  const conditional = PublicKeyCredential.isConditionalMediationAvailable;
  if (quiet && conditional) {
    conditional.call(PublicKeyCredential).then((able) => {
      if (!able) return;
      waiting = new AbortController();
      ask(quiet, { mediation: "conditional", signal: waiting.signal }).catch(() => {});
    });
  }
}

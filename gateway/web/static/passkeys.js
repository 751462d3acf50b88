// Passkeys: reads the question from the page, asks the authenticator, puts the answer into the form and sends it.
"use strict";

(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function question(options) {
    const asked = { ...options, challenge: bytes(options.challenge) };
    if (asked.user) asked.user = { ...asked.user, id: bytes(asked.user.id) };
    for (const name of ["allowCredentials", "excludeCredentials"]) {
      if (asked[name]) asked[name] = asked[name].map((one) => ({ ...one, id: bytes(one.id) }));
    }
    return asked;
  }

  function answer(credential) {
    const given = credential.response;
    const response = { clientDataJSON: text(given.clientDataJSON) };
    if (given.attestationObject) {
      response.attestationObject = text(given.attestationObject);
      response.transports = given.getTransports ? given.getTransports() : [];
    } else {
      response.authenticatorData = text(given.authenticatorData);
      response.signature = text(given.signature);
      if (given.userHandle) response.userHandle = text(given.userHandle);
    }
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: {}, response };
  }

  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    if (!window.PublicKeyCredential) return;
    form.hidden = false;
    document.querySelectorAll("[data-passkey-missing]").forEach((note) => { note.hidden = true; });
    form.addEventListener("submit", async (event) => {
      if (form.elements.passkey_answer.value) return;
      event.preventDefault();
      const publicKey = question(JSON.parse(form.dataset.passkey));
      const failed = form.querySelector("[data-passkey-failed]");
      failed.hidden = true;
      try {
        const credential = publicKey.user
          ? await navigator.credentials.create({ publicKey })
          : await navigator.credentials.get({ publicKey });
        form.elements.passkey_answer.value = JSON.stringify(answer(credential));
        form.submit();
      } catch {
        failed.hidden = false;
      }
    });
  });
})();

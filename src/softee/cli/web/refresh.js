// SPDX-License-Identifier: Apache-2.0
// Puts what is so now in the place of what was, every two seconds. Without it the page loads itself again.
"use strict";

async function refresh() {
  try {
    // Of the page's own address the origin alone: with a password in it nothing would be fetched.
    const reply = await fetch(`${location.origin}/now`, { cache: "no-store" });
    const made = new DOMParser().parseFromString(await reply.text(), "text/html");
    document.querySelector("main").replaceChildren(...made.body.childNodes);
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
}

setInterval(refresh, 2000);

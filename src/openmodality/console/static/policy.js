// The one Trusted Types policy of the console, and what htmx is allowed.
//
// HTML comes from this server alone, whose templates escape every value. Scripts inside it are not run, expressions in
// attributes are not evaluated: nobody needs them, and what a peer sends must never become one.
"use strict";
(() => {
  const isOurs = (url) => new URL(url, location.href).origin === location.origin && new URL(url, location.href).pathname.startsWith("/static/");
  const rules = {
    createHTML: (text) => text,
    createScriptURL: (url) => {
      if (!isOurs(url)) throw new TypeError("a script from elsewhere");
      return url;
    },
  };
  const policy = window.trustedTypes ? window.trustedTypes.createPolicy("openmodality", rules) : rules;
  const refuse = () => {
    throw new TypeError("no expressions in attributes");
  };
  window.consolePolicy = policy;
  htmx.registerExtension("console", {
    init: (api) => api.initSecurity({ createHTML: (text) => policy.createHTML(text), createScript: refuse }, refuse, refuse),
    htmx_before_on_init: () => false,
    htmx_config_request: (_, detail) => {
      const url = new URL(detail.ctx.request.action, location.href);
      if (url.origin !== location.origin) {
        detail.cancelled = true;
        return false;
      }
    },
  });
})();

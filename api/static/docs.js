// Starts the documentation page. Nothing is asked of other hosts: no validator badge, no remote configuration.
window.addEventListener("load", function () {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    validatorUrl: null,
    queryConfigEnabled: false,
    deepLinking: true,
  });
});

"""The Sluis application: joins the libraries `coda`, `sepa` and `connectors` with a database, an API and pages."""

"""The simulated banks as one web application."""

from __future__ import annotations

from starlette.applications import Starlette

from connectors.simulator import (
    account_data,
    admin,
    admin_payments,
    argenta,
    belfius,
    belfius_payments,
    berlin_group,
    consent_pages,
    desk_page,
    ing,
    kbc,
    n26,
    payment_pages,
    ponto,
    ponto_access,
    ponto_payments,
    stet,
    triodos,
)
from connectors.simulator.simulator import Simulator, SimulatorConfig


def create_app(config: SimulatorConfig | Simulator) -> Starlette:
    """All banks below `/{bank_id}`, and the control desk below `/sim`; the state is `app.state.simulator`."""
    simulator = config if isinstance(config, Simulator) else Simulator(config)
    # The control desk comes first, so that no bank can be called `sim`.
    app = Starlette(
        routes=[
            *admin.routes(),
            *admin_payments.routes(),
            *desk_page.routes(),
            *berlin_group.routes(),
            *account_data.routes(),
            *argenta.routes(),
            *belfius.routes(),
            *belfius_payments.routes(),
            *ing.routes(),
            *kbc.routes(),
            *n26.routes(),
            *stet.routes(),
            *triodos.routes(),
            *ponto.routes(),
            *ponto_access.routes(),
            *ponto_payments.routes(),
            *consent_pages.routes(),
            *payment_pages.routes(),
        ],
    )
    app.state.simulator = simulator
    return app

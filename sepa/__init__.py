"""Payments in XML for Belgium: references, SEPA texts and calendar, checks, pain.001.001.09, approval rules, seals.

Useful alone: nothing here opens a database, reads a setting or a clock. Approval rules live in `sepa.approval`, seals
in `sepa.seal`, the check of foreign files in `sepa.pain_check`.
"""

from sepa.addresses import AddressMode, PostalAddress
from sepa.calendar import (
    ClosedDay,
    DateChoice,
    execution_date,
    is_business_day,
    next_business_day,
    previous_business_day,
)
from sepa.checks import check_payment, sendable
from sepa.errors import ConfigError, InputError, OrderInvalid, SepaError
from sepa.findings import CATALOGUE, Finding, Severity, is_blocked
from sepa.model import DebtorAccount, Group, Order, Party, Payment, ReferenceKind, Structured, Unstructured
from sepa.pain001 import Summary, arrange, build, split, write

__all__ = [
    "CATALOGUE",
    "AddressMode",
    "ClosedDay",
    "ConfigError",
    "DateChoice",
    "DebtorAccount",
    "Finding",
    "Group",
    "InputError",
    "Order",
    "OrderInvalid",
    "Party",
    "Payment",
    "PostalAddress",
    "ReferenceKind",
    "SepaError",
    "Severity",
    "Structured",
    "Summary",
    "Unstructured",
    "arrange",
    "build",
    "check_payment",
    "execution_date",
    "is_blocked",
    "is_business_day",
    "next_business_day",
    "previous_business_day",
    "sendable",
    "split",
    "write",
]

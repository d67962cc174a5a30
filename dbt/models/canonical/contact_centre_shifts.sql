-- Figures of the contact centre, by shift.
-- One row per landed version of an event; key: shift_date, shift.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('contact_centre_shifts') }}

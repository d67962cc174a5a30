-- Contacts with customers: e-mail, chat, voice, visit.
-- One row per landed version of an event; key: interaction_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('interactions') }}
